#!/bin/sh
# Starts the load balancer, after writing what nginx cannot work out by itself.
set -eu
resolvers=$(awk '$1 == "nameserver" { print ($2 ~ /:/ ? "[" $2 "]" : $2) }' /etc/resolv.conf)
cat > /tmp/facematch.conf <<EOF
# valid: Docker's own answers would be kept for ten minutes
resolver $resolvers valid=5s ipv6=off;
# a name that was not found is asked for again after this time
resolver_timeout 5s;
# base64 makes four bytes of three, and the form or JSON around a photograph has a size too
client_max_body_size $((4 * MAX_IMAGE_BYTES / 3 + 1000000));
EOF
# a comparison of photographs may have four of the largest
echo "client_max_body_size $((16 * MAX_IMAGE_BYTES / 3 + 1000000));" > /tmp/facematch-verify.conf
echo "client_max_body_size $MAX_IMPORT_BYTES;" > /tmp/facematch-imports.conf
exec nginx -c "$(cd "$(dirname "$0")" && pwd)/nginx.conf" -g 'daemon off;'
