#!/bin/sh
# Draws the pictures of docs/bwe.md anew: make build/release/test/sim/bwe_change_test, then run this in the project's root.
set -e
draw() {
    build/release/test/sim/bwe_change_test series "$1" | python3 docs/pictures/bwe_plot.py "$2" > "docs/pictures/bwe-$1.svg"
}
draw steady "3 Mbit/s, round trip 100 ms, no loss"
draw bursts "3 Mbit/s, round trip 100 ms, 10 % lost in bursts of five"
draw narrow "300 kbit/s, round trip 200 ms, no loss"
draw halving "3 Mbit/s that halve after 20 s and recover after 40 s, round trip 50 ms"
draw two "Two flows on 3 Mbit/s, the second from 15 s on, round trip 50 ms"
draw tcp "Beside a TCP flow from 20 to 70 s on 10 Mbit/s, round trip 50 ms"
draw layers "Layers of 100 kbit/s to 2.5 Mbit/s on 5, 1.2 and again 5 Mbit/s, round trip 100 ms"
