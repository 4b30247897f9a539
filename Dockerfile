# One image for every component: `orrery` and what follows chooses what it is.
ARG NODE_IMAGE=node:24-bookworm-slim
ARG DEBIAN_IMAGE=debian:bookworm-slim
ARG ETCD_IMAGE=quay.io/coreos/etcd:v3.5.24

FROM ${ETCD_IMAGE} AS etcd

# What decides which packages are installed, alone: a change of a source installs nothing anew.
FROM ${NODE_IMAGE} AS manifests
WORKDIR /src
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete \
    && find . -type d -empty -delete

FROM ${NODE_IMAGE} AS build
WORKDIR /src
COPY --from=manifests /src .
RUN npm ci
COPY . .
RUN node scripts/build.mjs \
    && mkdir -p /opt/orrery \
    && cp -r dist /opt/orrery/dist \
    && find /opt/orrery/dist -name '*.map' -exec gzip {} + \
    && node deploy/runtime-modules.mjs /opt/orrery

# Only what runs: ip and iptables for the networks of a node, curl for health checks and whoever runs a shell in a pod, etcd for whole
# clusters in one container (orrery up), Node without its symbols, busybox for the rest.
FROM ${DEBIAN_IMAGE} AS rootfs
RUN apt-get update && apt-get install -y --no-install-recommends binutils busybox ca-certificates curl iproute2 iptables mount util-linux
COPY deploy/rootfs.sh /
COPY --from=build /usr/local/bin/node /usr/local/bin/
COPY --from=etcd /usr/local/bin/etcd /usr/local/bin/
RUN strip --strip-unneeded /usr/local/bin/node \
    && sh /rootfs.sh /rootfs node etcd curl ip tc bridge ss \
        iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore mount umount nsenter setpriv unshare

FROM scratch AS programs
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
COPY --from=rootfs /rootfs /
COPY --from=build /opt/orrery /opt/orrery
COPY deploy/orrery /usr/local/bin/orrery
# As `orrery up` has it for each process (MALLOC in apps/cli/src/cluster/plan.ts): memory that was needed once goes back.
ENV NODE_COMPILE_CACHE=/opt/orrery/compiled MALLOC_MMAP_THRESHOLD_=32768
# A new volume takes the owner of the folder that it covers.
RUN mkdir -p /cluster/nodes /home/orrery /opt/orrery/compiled \
    && chown -R 1000:1000 /cluster /home/orrery /opt/orrery/compiled

# As the user that runs it later: Node keeps compiled code for each user.
FROM programs AS warm
COPY deploy/warm.sh /
USER 1000:1000
RUN sh /warm.sh

FROM programs
COPY --from=warm /opt/orrery/compiled /opt/orrery/compiled
USER 1000:1000
ENTRYPOINT ["orrery"]
CMD ["help"]
