# One static binary in an empty image: no shell, no package manager, no libc, nothing to update but the binary.
# Alpine's Rust links against musl, statically; each architecture is built on a machine of its own kind.

# The digest is what counts, of the index for all architectures; the name is for the reader.
FROM rust:1.98.0-alpine@sha256:a10e64dd139b7387337c7fbe8aca31b959b57b2fd4c8ae20a02cf1d6ea424dce AS build
# For aws-lc, the cryptography behind TLS.
RUN apk add --no-cache musl-dev gcc make ca-certificates
WORKDIR /src
ENV CARGO_INCREMENTAL=0 \
    RUSTFLAGS="--remap-path-prefix=/src=. --remap-path-prefix=/usr/local/cargo=cargo"

# The dependencies, from the lock file and with stubs in place of the code: this layer is built again only when they
# change.
COPY Cargo.toml Cargo.lock ./
COPY sim/Cargo.toml sim/
RUN mkdir -p src sim/src \
    && echo 'fn main() {}' > src/main.rs \
    && touch src/lib.rs sim/src/lib.rs \
    && cargo build --release --locked --bin certorder \
    && rm -r src

COPY src src
# The stubs are newer than the code, so without the touch cargo would keep them.
RUN find src -name '*.rs' -exec touch {} + \
    && cargo build --release --locked --bin certorder \
    && ./target/release/certorder --version

FROM scratch
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="certorder" \
      org.opencontainers.image.description="Orders paid SSL certificates at Tencent Cloud SSL and Huawei Cloud SCM from Kubernetes resources" \
      org.opencontainers.image.source="https://github.com/certorder/certorder" \
      org.opencontainers.image.documentation="https://github.com/certorder/certorder/blob/main/docs/install.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The authorities that the clouds' certificates come from. SSL_CERT_FILE names others.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /src/target/release/certorder /certorder
COPY LICENSE /LICENSE
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["/certorder"]
CMD ["run"]
