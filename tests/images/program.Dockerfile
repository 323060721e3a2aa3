# An image of one static program, for what the test bed itself runs in pods.
FROM scratch
COPY program /program
ENTRYPOINT ["/program"]
