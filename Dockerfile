# One stage per image, one file in each: a static program, run by a user without rights. There is no shell and no
# library to patch. The programs are built by cargo outside, where its caches are (`make image` does both):
#
#   docker build --target kvnode -t kvtenant/kvnode:0.1.0 <folder with the program kvnode>

FROM scratch AS kvnode
COPY kvnode /kvnode
USER 1001:1001
ENTRYPOINT ["/kvnode"]

FROM scratch AS operator
COPY kvtenant-operator /kvtenant-operator
USER 1001:1001
ENTRYPOINT ["/kvtenant-operator"]
CMD ["run"]
