package natsbus_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/kizuna-cx/kizuna/internal/bus/natsbus"
	"github.com/kizuna-cx/kizuna/internal/kit/errs"
)

// certificate makes one that signs itself, for 127.0.0.1, as server and client.
func certificate(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: cert}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// A server outside that wants TLS, a client's certificate and a password gets them; nobody is let in without.
func TestServersOutsideAreReachedByTLSAndPassword(t *testing.T) {
	dir := t.TempDir()
	cert, key := certificate(t, dir, "server")
	mine, mineKey := certificate(t, dir, "client")
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	clients := x509.NewCertPool()
	raw, err := os.ReadFile(mine)
	if err != nil || !clients.AppendCertsFromPEM(raw) {
		t.Fatal(err)
	}
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: -1, NoSigs: true, NoLog: true, JetStream: true, StoreDir: filepath.Join(dir, "store"), Username: "kizuna", Password: "s3cret",
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: clients}, TLSTimeout: 5,
		JetStreamMaxStore: 1 << 30, SyncAlways: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	defer srv.Shutdown()
	if !srv.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not come up")
	}
	_, address, _ := strings.Cut(srv.ClientURL(), "://")
	good := natsbus.Cluster{URL: "tls://kizuna:s3cret@" + address, CA: cert, Cert: mine, Key: mineKey}
	open := func(c natsbus.Cluster) (*natsbus.Log, error) {
		log := natsbus.New(natsbus.Options{Cluster: c, MaxBytes: 1 << 20, Patience: 300 * time.Millisecond})
		return log, log.Start(t.Context())
	}
	log, err := open(good)
	if err != nil {
		t.Fatal(err)
	}
	if seq, err := log.Append(t.Context(), []byte("x")); err != nil || seq != 1 {
		t.Errorf("append: %d, %v", seq, err)
	}
	if err := log.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(*natsbus.Cluster){
		"an unknown signer":      func(c *natsbus.Cluster) { c.CA = mine },
		"no certificate":         func(c *natsbus.Cluster) { c.Cert, c.Key = "", "" },
		"a wrong password":       func(c *natsbus.Cluster) { c.URL = strings.Replace(c.URL, "s3cret", "guess", 1) },
		"more replicas than are": func(c *natsbus.Cluster) { c.Replicas = 3 },
	} {
		c := good
		spoil(&c)
		log, err := open(c)
		if !errs.Is(err, errs.KindUnavailable) {
			t.Errorf("%s: %v", what, err)
		}
		if err := log.Stop(t.Context()); err != nil {
			t.Errorf("%s: stop: %v", what, err)
		}
	}
}
