// The servers of the wire benchmark and the client that all others are held against, with nothing but Go's own library.
//
//	wire farm FOLDER CLUSTERS   serves CLUSTERS API servers on loopback until its input ends, and says how in FOLDER/fleet.json;
//	                            for each line of input it prints which key exchanges its requests came by since the last one
//	wire visit FOLDER REQUESTS AT_A_TIME [certificate]  visits each of them once, and prints its cost as JSON
package main

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Cluster is how one server is reached, and what proves us to it.
type Cluster struct {
	Server string `json:"server"`
	CA     string `json:"ca"`
	Token  string `json:"token"`
	Cert   string `json:"cert"`
	Key    string `json:"key"`
}

// Fleet is what farm tells the clients.
type Fleet struct {
	Path     string    `json:"path"`
	Body     string    `json:"body"`
	Clusters []Cluster `json:"clusters"`
}

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("wire farm FOLDER CLUSTERS | wire visit FOLDER REQUESTS AT_A_TIME [certificate]")
	}
	number, err := strconv.Atoi(os.Args[3])
	check(err)
	if os.Args[1] == "farm" {
		farm(os.Args[2], number)
		return
	}
	atATime, err := strconv.Atoi(os.Args[4])
	check(err)
	visitAll(os.Args[2], number, atATime, len(os.Args) > 5)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// --- the servers

const path = "/apis/apps/v1/namespaces/pos/deployments/till"

func farm(folder string, clusters int) {
	object, err := os.ReadFile(filepath.Join(folder, "object.json"))
	check(err)
	body, err := os.ReadFile(filepath.Join(folder, "apply.json"))
	check(err)
	fleet := Fleet{Path: path, Body: string(body)}
	for number := 0; number < clusters; number++ {
		fleet.Clusters = append(fleet.Clusters, serve(number, object))
	}
	text, err := json.Marshal(fleet)
	check(err)
	part := filepath.Join(folder, "fleet.json.part")
	check(os.WriteFile(part, text, 0o600))
	check(os.Rename(part, filepath.Join(folder, "fleet.json")))
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); { // until whoever started it ends
		exchanges.Lock()
		_ = json.NewEncoder(os.Stdout).Encode(exchanges.requests)
		clear(exchanges.requests)
		exchanges.Unlock()
	}
}

// exchanges counts requests by the key exchange of their connections: what one client offers and another does not
// makes a fifth of a visit, so that one has to see it.
var exchanges = struct {
	sync.Mutex
	requests map[string]int
}{requests: map[string]int{}}

func serve(number int, object []byte) Cluster {
	// An address each, so that ports are not used up; all of 127.0.0.0/8 is this machine.
	address := net.IPv4(127, byte(1+number/62500), byte(1+number/250%250), byte(1+number%250))
	authority, authorityKey := certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: fmt.Sprintf("kubernetes-%d", number)}, IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	leaf, leafKey := certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: "kube-apiserver"}, IPAddresses: []net.IP{address},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, authority, authorityKey)
	client, clientKey := certify(&x509.Certificate{
		Subject:     pkix.Name{CommonName: "admin", Organization: []string{"system:masters"}},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}, authority, authorityKey)
	token := fmt.Sprintf("%0900d", number) // as long as those of service accounts
	pool := x509.NewCertPool()
	pool.AddCert(authority)
	listener, err := net.Listen("tcp", net.JoinHostPort(address.String(), "0"))
	check(err)
	server := &http.Server{
		Handler:  handler("Bearer "+token, object),
		ErrorLog: log.New(io.Discard, "", 0),
		TLSConfig: &tls.Config{
			Certificates:           []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey}},
			ClientAuth:             tls.VerifyClientCertIfGiven,
			ClientCAs:              pool,
			MinVersion:             tls.VersionTLS13,
			NextProtos:             []string{"http/1.1"},
			SessionTicketsDisabled: true, // every visit is a full handshake, as after a day
		},
	}
	go func() { check(server.ServeTLS(listener, "", "")) }()
	return Cluster{
		Server: "https://" + listener.Addr().String(), CA: certificate(authority), Token: token,
		Cert: certificate(client), Key: private(clientKey),
	}
}

func handler(authorization string, object []byte) http.Handler {
	length := strconv.Itoa(len(object))
	return http.HandlerFunc(func(writer http.ResponseWriter, request *http.Request) {
		proven := request.Header.Get("Authorization") == authorization
		if !proven && len(request.TLS.VerifiedChains) == 0 {
			http.Error(writer, "Unauthorized", http.StatusUnauthorized)
			return
		}
		exchanges.Lock()
		exchanges.requests[request.TLS.CurveID.String()]++
		exchanges.Unlock()
		_, _ = io.Copy(io.Discard, request.Body)
		head := writer.Header()
		head.Set("Audit-Id", "5f1c4b0e-65a5-4a1c-9f0e-0d7c2b1a9e55")
		head.Set("Cache-Control", "no-cache, private")
		head.Set("Content-Type", "application/json")
		head.Set("Content-Length", length)
		head.Set("X-Kubernetes-Pf-Flowschema-Uid", "b5ad6f9c-3f65-4b5c-8f0b-2d0c5f6b7a11")
		head.Set("X-Kubernetes-Pf-Prioritylevel-Uid", "0e7c6a5d-4b3c-4a2d-9e1f-6c5b4a3d2e1f")
		_, _ = writer.Write(object)
	})
}

func certify(of *x509.Certificate, by *x509.Certificate, byKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	check(err)
	of.SerialNumber, of.NotBefore, of.NotAfter = serial, time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	if by == nil {
		by, byKey = of, key
	}
	made, err := x509.CreateCertificate(rand.Reader, of, by, &key.PublicKey, byKey)
	check(err)
	found, err := x509.ParseCertificate(made)
	check(err)
	return found, key
}

func certificate(one *x509.Certificate) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.Raw}))
}

func private(key *ecdsa.PrivateKey) string {
	made, err := x509.MarshalPKCS8PrivateKey(key)
	check(err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: made}))
}

// --- the client

type object struct {
	Metadata struct {
		Name            string            `json:"name"`
		Namespace       string            `json:"namespace"`
		UID             string            `json:"uid"`
		ResourceVersion string            `json:"resourceVersion"`
		Generation      int64             `json:"generation"`
		Labels          map[string]string `json:"labels"`
		Annotations     map[string]string `json:"annotations"`
	} `json:"metadata"`
}

func visitAll(folder string, requests, atATime int, certificates bool) {
	text, err := os.ReadFile(filepath.Join(folder, "fleet.json"))
	check(err)
	var fleet Fleet
	check(json.Unmarshal(text, &fleet))
	before, began := cpu(), time.Now()
	waiting := make(chan Cluster)
	var group sync.WaitGroup
	for range atATime {
		group.Add(1)
		go func() {
			defer group.Done()
			for one := range waiting {
				visit(one, fleet, requests, certificates)
			}
		}()
	}
	for _, one := range fleet.Clusters {
		waiting <- one
	}
	close(waiting)
	group.Wait()
	var used syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	_ = json.NewEncoder(os.Stdout).Encode(map[string]float64{
		"cpu": cpu() - before, "wall": time.Since(began).Seconds(), "peak": float64(used.Maxrss) / 1024,
	})
}

func cpu() float64 {
	var used syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &used))
	return float64(used.Utime.Sec+used.Stime.Sec) + float64(used.Utime.Usec+used.Stime.Usec)/1e6
}

func visit(one Cluster, fleet Fleet, requests int, certificates bool) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(one.CA)) {
		log.Fatal("no authority")
	}
	config := &tls.Config{RootCAs: pool}
	if certificates {
		pair, err := tls.X509KeyPair([]byte(one.Cert), []byte(one.Key))
		check(err)
		config.Certificates = []tls.Certificate{pair}
	}
	transport := &http.Transport{TLSClientConfig: config}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 30 * time.Second}
	for number := 0; number < requests; number++ {
		method, body, query := http.MethodGet, io.Reader(nil), ""
		if number == 0 {
			method, body, query = http.MethodPatch, strings.NewReader(fleet.Body), "?fieldManager=fleetctl%3Apos&fieldValidation=Strict"
		}
		request, err := http.NewRequest(method, one.Server+fleet.Path+query, body)
		check(err)
		if number == 0 {
			request.Header.Set("Content-Type", "application/apply-patch+yaml")
		}
		request.Header.Set("Accept", "application/json")
		if !certificates {
			request.Header.Set("Authorization", "Bearer "+one.Token)
		}
		answer, err := client.Do(request)
		check(err)
		read, err := io.ReadAll(answer.Body)
		check(err)
		check(answer.Body.Close())
		if answer.StatusCode >= 300 {
			log.Fatalf("%s: %s", answer.Status, read)
		}
		var seen object
		check(json.Unmarshal(read, &seen))
		if seen.Metadata.UID == "" {
			log.Fatal("an object without a UID")
		}
	}
}
