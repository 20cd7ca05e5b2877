# One image for all roles: `docker run sluice`, `… gateway`, `… consumer`.

# Kept equal to rust-toolchain.toml, which a test checks.
FROM rust:1.95.0-bookworm AS build
# The image's own toolchain, instead of what rustup would fetch for rust-toolchain.toml's components.
ENV RUSTUP_TOOLCHAIN=1.95.0
# librdkafka's TLS and SASL, and its OAuth tokens.
RUN apt-get update && apt-get install --yes --no-install-recommends libcurl4-openssl-dev libssl-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The binary is copied within this step, since the cache is gone after it, and must start.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --package sluice --features kafka-security \
    && install -D target/dist/sluice /out/sluice \
    && /out/sluice --version

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="Sluice" \
      org.opencontainers.image.description="HTTP-to-Kafka metrics ingestion gateway" \
      org.opencontainers.image.licenses="Apache-2.0"
# What librdkafka's TLS and SASL run on.
RUN apt-get update && apt-get install --yes --no-install-recommends libcurl4 libssl3 \
    && rm -rf /var/lib/apt/lists/*
# What TLS to stores and to Kafka trusts; the slim image has none.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/sluice /usr/local/bin/sluice
RUN install --directory --owner=65532 --group=65532 /var/lib/sluice
USER 65532:65532
# The default data_dir is ./data.
WORKDIR /var/lib/sluice
VOLUME /var/lib/sluice
# Probes and scrapes come from outside of the container; publish this port to operators only.
ENV SLUICE_ADMIN__LISTEN=0.0.0.0:8081
EXPOSE 8080 8081
ENTRYPOINT ["/usr/local/bin/sluice"]
CMD ["standalone"]
