FROM debian:12
COPY node/ /usr/local/
CMD ["node"]
