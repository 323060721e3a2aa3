#!/bin/sh
# Installs Debian or Ubuntu packages, named as arguments, without asking and without starting their services.
set -eu

if [ $# -eq 0 ]; then
  echo "usage: install-packages.sh PACKAGE..." >&2
  exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "install-packages.sh: packages can be installed by root only: $*" >&2
  exit 1
fi

# Tests that run side by side may all need something, and apt-get does not wait for another of its kind. A slow archive
# takes minutes; longer than this, one hangs.
exec 9>>/run/kvtenant-install-packages.lock
if ! flock -w 600 9; then
  echo "install-packages.sh: another install-packages.sh has not ended in 600 s; end it and try again: $*" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# The lists may be old or absent; a stale one names files that the archive no longer has.
apt-get -qq update
# A service that starts by itself (containerd, redis) would take ports and cgroups that the test bed gives out.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod +x "$policy"
  trap 'rm -f "$policy"' EXIT
fi
apt-get -qq install -y --no-install-recommends "$@"
