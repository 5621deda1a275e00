# Installs the packages named by its arguments with apt, without starting any service and without making Postgres's
# "main" cluster. Run by `kalel up` as root. What it changes for that it puts back, also when it is interrupted.
set -eu

policy=/usr/sbin/policy-rc.d
kept=/usr/sbin/policy-rc.d.kept-by-kalel
cluster=/etc/postgresql-common/createcluster.d/kalel.conf
made_folders=

put_back() {
    trap - EXIT
    rm -f "$policy" "$cluster"
    if [ -e "$kept" ] || [ -L "$kept" ]; then mv "$kept" "$policy"; fi
    if [ -n "$made_folders" ]; then
        rmdir /etc/postgresql-common/createcluster.d /etc/postgresql-common 2>/dev/null || true
    fi
}

# A kill -9 in the middle of the last time.
if [ -e "$kept" ] || [ -L "$kept" ]; then mv -f "$kept" "$policy"; fi
if [ -e "$policy" ] && grep -q 'kalel up' "$policy" 2>/dev/null; then rm -f "$policy"; fi

trap put_back EXIT
trap 'exit 130' INT TERM HUP
if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$kept"; fi
printf '#!/bin/sh\n# Temporary, from kalel up: packages are installed, nothing is started.\nexit 101\n' >"$policy"
chmod 755 "$policy"
[ -d /etc/postgresql-common/createcluster.d ] || made_folders=yes
mkdir -p /etc/postgresql-common/createcluster.d
echo 'create_main_cluster = false' >"$cluster"

new_units=
for unit in nats-server redis-server postgresql; do
    dpkg-query -W -f '${Status}' "$unit" 2>/dev/null | grep -q 'ok installed' || new_units="$new_units $unit"
done

export DEBIAN_FRONTEND=noninteractive
apt-get install -y --no-install-recommends "$@"

# Installed for us, not for the machine: a service that was not there before does not start with it either.
if [ -d /run/systemd/system ]; then
    for unit in $new_units; do systemctl disable --quiet "$unit.service" 2>/dev/null || true; done
fi
