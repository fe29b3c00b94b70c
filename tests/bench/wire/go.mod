module fleetctl.dev/tests/bench/wire

// The defaults of TLS are those of the version named here: below 1.24 no post-quantum key exchange, which Go's programs and
// kube-apiservers of today have, and libcurl's OpenSSL too.
go 1.26.0
