package app

import (
	"strings"
	"testing"
)

func several(t *testing.T, change func(*Config)) (Config, error) {
	t.Helper()
	t.Setenv("KIZUNA_MASTER_KEY", strings.Repeat("A", 43)+"=")
	c := Default()
	c.Files = FileStore{URL: "s3://kizuna/files?endpoint=http://minio:9000", Access: "a", Secret: "b"}
	c.Data, c.Database, c.LogServers.URL = t.TempDir(), "postgres://kizuna@db/kizuna", "nats://n1:4222,tls://n2:4222"
	if err := c.Peers.setRoles("worker, send"); err != nil {
		t.Fatal(err)
	}
	c.Peers.Listen = "10.0.0.5:8482"
	change(&c)
	return c, c.Validate()
}

func TestRolesNeedWhatProcessesShare(t *testing.T) {
	c, err := several(t, func(*Config) {})
	if err != nil || !c.several() || !c.does(workerRole) || !c.does(everywhere) || c.does(apiRole) || c.Peers.URL != "http://10.0.0.5:8482" {
		t.Errorf("%+v, %v", c.Peers, err)
	}
	for want, change := range map[string]func(*Config){
		"KIZUNA_DATABASE_URL":     func(c *Config) { c.Database = "sqlite:x.db" },
		"KIZUNA_LOG_URL:":         func(c *Config) { c.LogServers.URL = "n1:4222" },
		"set KIZUNA_LOG_URL":      func(c *Config) { c.LogServers.URL = "" },
		"KIZUNA_MASTER_KEY":       func(*Config) { t.Setenv("KIZUNA_MASTER_KEY", "") },
		"--peer-listen":           func(c *Config) { c.Peers.Listen = "" },
		"KIZUNA_PEER_URL":         func(c *Config) { c.Peers.URL = "10.0.0.5" },
		"KIZUNA_LOG_REPLICAS":     func(c *Config) { c.LogServers.Replicas = 0 },
		"set KIZUNA_FILES_URL":    func(c *Config) { c.Files = FileStore{} },
		"KIZUNA_FILES_ACCESS_KEY": func(c *Config) { c.Files.Secret = "" },
		"KIZUNA_FILES_URL \"ftp":  func(c *Config) { c.Files.URL = "ftp://files" },
		"endpoint":                func(c *Config) { c.Files.URL = "s3://kizuna?endpoint=minio" },
		"name a bucket":           func(c *Config) { c.Files.URL = "s3:///files" },
		"KIZUNA_LOG_CA":           func(c *Config) { c.LogServers.CA = "/nowhere.pem" },
	} {
		if _, err := several(t, change); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error about %q, got %v", want, err)
		}
	}
	if _, err := several(t, func(c *Config) { c.Peers = Peers{Roles: []role{collectRole}} }); err != nil {
		t.Errorf("a process that only collects: %v", err)
	}
	if err := (&Peers{}).setRoles("collect,sing"); err == nil || !strings.Contains(err.Error(), `"sing"`) {
		t.Errorf("an unknown role: %v", err)
	}
	c = Default()
	if c.several() || !c.does(workerRole) || !c.does(apiRole) {
		t.Error("alone, a process does everything")
	}
}

func TestPasswordsOfTheLogAreNotTold(t *testing.T) {
	c := Default()
	c.LogServers.URL = "nats://kizuna:s3cret@n1:4222, nats://n2:4222"
	if at := c.logPlace(); strings.Contains(at, "s3cret") || !strings.Contains(at, "n1:4222") || !strings.Contains(at, "n2:4222") {
		t.Errorf("the log is at %s", at)
	}
}
