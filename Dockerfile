# The server as an image; docs/self-host.md says how to run it.

FROM rust:1.95-trixie AS build
RUN apt-get update && apt-get install --yes --no-install-recommends nodejs npm
WORKDIR /opt/asklet
COPY . .
RUN cargo xtask build

# What the server needs, and nothing from the network. `xtask/tests/built.rs` makes the same copies and runs the
# command on them. The program finds its files by the folder that contains xtask/Cargo.toml.
FROM debian:trixie-slim
WORKDIR /opt/asklet
COPY --from=build /opt/asklet/xtask/Cargo.toml xtask/
COPY --from=build /opt/asklet/target/debug/asklet-xtask target/debug/
COPY --from=build /opt/asklet/dist dist/
COPY --from=build /opt/asklet/node_modules/@cloudflare node_modules/@cloudflare/
RUN --network=none install --directory --owner=10001 --group=10001 --mode=700 /data
USER 10001:10001
VOLUME /data
EXPOSE 8787
ENTRYPOINT ["/opt/asklet/target/debug/asklet-xtask"]
CMD ["serve", "--built", "--host", "0.0.0.0", "--data", "/data/asklet"]
