#!/bin/sh
# Fills NODE_COMPILE_CACHE with compiled code, so that a start spends no time on it: that of all components as a cluster that runs
# has called it, which its process keeps when it ends, and of what such a cluster does not load.
set -eu
mkdir -p "$NODE_COMPILE_CACHE"
export ORRERY_HOME=/tmp/warm
log=/tmp/warm.log
orrery up --single-process --nodes=2 > "$log" 2>&1 &
cluster=$!
tries=0
until grep -q '^orrery: ready in' "$log"; do
  tries=$((tries + 1))
  if [ "$tries" -gt 1200 ] || ! kill -0 "$cluster" 2> /dev/null; then
    # On a machine that is very busy: the image is as good, and its first start slower.
    cat "$log"
    echo "no cluster came up here: the image keeps less compiled code"
    break
  fi
  sleep 0.1
done
kill "$cluster" 2> /dev/null || true
wait "$cluster" || true
for command in dataplane relay install-addons init-cluster; do
  orrery "$command" --help > /dev/null
done
orrery init-cluster --dir=/tmp/warm/pki --server=https://127.0.0.1:6443 > /dev/null
rm -r "$ORRERY_HOME" "$log"
# Node keeps a folder for each user; root has the same one, which nobody may write to.
made=$(echo "$NODE_COMPILE_CACHE"/*-"$(id -u)")
ln -s "$(basename "$made")" "${made%-*}-0"
chmod -R a+rX "$NODE_COMPILE_CACHE"
