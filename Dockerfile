# Builds funneld and puts it alone into a small image. The configuration is mounted, or copied in
# by an image made from this one; secrets come as variables or mounted files, never from here.
#
#   docker build -t funneld .
#   docker run -p 8443:8443 -v funneld:/var/lib/funneld -v ./funneld.conf:/etc/funneld/funneld.conf:ro \
#       -e HUBSPOT_CLIENT_SECRET -e SLACK_WEBHOOK_URL funneld

FROM debian:bookworm-slim AS build
WORKDIR /src
# The list of packages is the Makefile's own; as a layer of its own it outlives a change of code.
COPY tests/check/deps.sh tests/check/
RUN apt-get update && apt-get install -y --no-install-recommends make \
    && tests/check/deps.sh build && rm -rf /var/lib/apt/lists/*
COPY . .
RUN make && strip build/plain/funneld

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates libcjson1 \
        libcurl4 libgnutls30 libinih1 libmicrohttpd12 libsqlite3-0 libssl3 libxgboost0 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --system --gid 10001 funneld \
    && useradd --system --uid 10001 --gid funneld --no-log-init --no-create-home \
        --home-dir /var/lib/funneld --shell /usr/sbin/nologin funneld \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/funneld
COPY --from=build /src/build/plain/funneld /usr/local/bin/funneld
USER 10001:10001
WORKDIR /var/lib/funneld
EXPOSE 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s --retries=3 \
    CMD ["/usr/local/bin/funneld", "health"]
ENTRYPOINT ["/usr/local/bin/funneld"]
CMD ["serve"]
