module fleetctl.dev/tests/bench/wire

go 1.22
