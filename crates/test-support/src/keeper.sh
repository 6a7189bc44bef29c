# Keeps one throwaway PostgreSQL: makes it, starts it, and takes it away when nobody uses it any more.
#
#   sh keeper.sh DIRECTORY BINARIES PORT LINGER [SETTING...]    < DIRECTORY/users
#
# Standard input is the reading end of the named pipe `users`, which each user of the server holds open for
# writing. The kernel closes it for a user that was killed too, so that the end of input means: all are gone.
# A user writes one byte when it comes. DIRECTORY is ours alone, and has `template` (a cluster as initdb made
# it) when it is to be copied instead of made.
set -eu
dir=$1 bin=$2 port=$3 linger=$4
shift 4
cd "$dir"

remove() {
    cd /
    rm -rf "$dir"
}
trap remove EXIT

# Says so, leaves the logs for as long as somebody may read them, and ends.
fail() {
    touch failed
    cat >/dev/null
    exit 1
}

if [ ! -d template ]; then
    "$bin/initdb" -D template -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync --wal-segsize=1 </dev/null ||
        "$bin/initdb" -D template -U postgres -A trust -E UTF8 --locale=C --no-sync --wal-segsize=1 </dev/null ||
        fail
fi
cp -R template data
{
    echo "listen_addresses = '127.0.0.1'"
    echo "port = $port"
    # A socket's path has some 100 bytes; a longer one would keep the server from starting.
    if [ ${#dir} -lt 80 ]; then echo "unix_socket_directories = '$dir'"; else echo "unix_socket_directories = ''"; fi
    echo "max_connections = 300"
    echo "max_prepared_transactions = 20"
    echo "shared_buffers = 64MB"
    echo "fsync = off"
    echo "full_page_writes = off"
    echo "autovacuum_naptime = 1h"
    for setting in "$@"; do echo "$setting"; done
} >>data/postgresql.conf
"$bin/pg_ctl" start -w -t 60 -D "$dir/data" -l server.log </dev/null || fail
echo "$port" >ready.new
mv ready.new ready

# Input that ended with bytes in it had users; the next one may be about to come.
while [ "$(wc -c)" -gt 0 ]; do
    sleep "$linger"
done
# Once the directory has another name nobody new finds the pipe; whoever found it just before is waited for.
mv "$dir" "$dir.closing.$$"
dir=$dir.closing.$$
cat >/dev/null
"$bin/pg_ctl" stop -m immediate -D "$dir/data" </dev/null || true
