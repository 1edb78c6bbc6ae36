#!/bin/sh
# Checks Redis's data before it starts, and mends what a power cut left of it. Usage: check_data.sh FOLDER
#
# Redis 6 does not look into the folder in which a newer one has its append-only file, and would begin with nothing.
#
# After a power cut a file may have the length of a write whose data never came to the disk: it ends with zeros there. Redis
# starts on a command that is cut short (aof-load-truncated), but not on those. None of them was acknowledged: what was is
# on the disk, and ends with a line's end. Redis 6 has the checksum of a snapshot in the file, whose last byte may be
# zero: its files are left alone.
set -eu
most=65536

version=$(redis-server --version | sed 's/.* v=\([0-9.]*\) .*/\1/')
if [ -d "$1/appendonlydir" ] && [ "${version%%.*}" -lt 7 ]; then
    echo "The data in $1 is of Redis 7 or newer, and this is Redis $version, which would not see it." >&2
    exit 1
fi

for file in "$1"/appendonlydir/*.incr.aof; do
    [ -s "$file" ] || continue
    cut=0
    while zeros=$(tail -c $most "$file" | od -An -v -tu1 -w1 | awk '$1 { last = NR } END { print NR - last }') && [ "$zeros" -gt 0 ]; do
        truncate --size="-$zeros" "$file"
        cut=$((cut + zeros))
    done
    [ "$cut" -eq 0 ] || echo "$file ended with $cut zeros, as a power cut leaves them; they are cut off."
done
