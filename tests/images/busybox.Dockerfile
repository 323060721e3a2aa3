# A shell and the usual small tools, for the provisioner's helper pods.
FROM scratch
COPY program /bin/busybox
RUN ["/bin/busybox", "--install", "-s", "/bin"]
