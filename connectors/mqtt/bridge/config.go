package bridge

import (
	"fmt"
	"time"

	"github.com/hearth-home/hearth/shared/mqttclient"
	"github.com/hearth-home/hearth/shared/secret"
	"github.com/hearth-home/hearth/shared/spool"
)

// Config is what the connector reads from the environment.
type Config struct {
	URL      string        `env:"MQTT_URL" envDefault:"tcp://127.0.0.1:1883"`      // broker: tcp://, ssl:// or ws://; without a scheme tcp://, without a port 1883, or 8883 for ssl://
	ClientID string        `env:"MQTT_CLIENT_ID" envDefault:"hearth-connector"`    // id of the MQTT session: the same after each restart, and different from that of any other client
	User     string        `env:"MQTT_USER"`                                       // user, if the broker requires one
	Password secret.String `env:"MQTT_PASSWORD_SECRET" envDefault:"mqtt-password"` // secret with the password
	CAFile   string        `env:"MQTT_CA_FILE"`                                    // PEM file with the broker's certificate authority
	CertFile string        `env:"MQTT_CERT_FILE"`                                  // PEM file with a client certificate
	KeyFile  string        `env:"MQTT_KEY_FILE"`                                   // PEM file with its key
	ReadOnly bool          `env:"MQTT_READ_ONLY"`                                  // publish nothing: no canary, no replies, no acknowledgements to edge nodes

	Gateway     string        `env:"GATEWAY_URL" envDefault:"http://gateway.openfaas:8080"` // OpenFaaS gateway
	GatewayCA   string        `env:"GATEWAY_CA_FILE"`                                       // PEM file with the gateway's certificate authority, for an https:// address
	Rebuild     time.Duration `env:"REBUILD_INTERVAL" envDefault:"3s"`                      // interval between two requests for the gateway's list of functions
	CallTimeout time.Duration `env:"UPSTREAM_TIMEOUT" envDefault:"30s"`                     // timeout of one call of a function

	Dir         string        `env:"DATA_DIR" envDefault:"/var/lib/hearth/connector"` // folder of the spool and the dead letters
	SpoolMiB    int64         `env:"SPOOL_MAX_MIB" envDefault:"1024"`                 // cap of the spool; at most three quarters of its disk
	SpoolPolicy string        `env:"SPOOL_POLICY" envDefault:"refuse"`                // at the cap: refuse (the newest messages stay with the broker) or drop (the oldest are dropped and counted)
	SpoolSync   time.Duration `env:"SPOOL_SYNC" envDefault:"0s"`                      // 0: a message is on disk before it is acknowledged; more: a power cut may lose the messages acknowledged in this time
	ByLoad      bool          `env:"GATHER_BY_LOAD"`                                  // for SQLite and SD cards: the more messages, the longer a batch gathers, up to 265 ms: few calls and syncs; else it gathers up to 5 ms
	DeadMax     int           `env:"DEAD_MAX" envDefault:"100000"`                    // cap of the number of dead letters
	DeadMiB     int64         `env:"DEAD_MAX_MIB" envDefault:"256"`                   // cap of the size of their files; at most three quarters of the disk beside the spool's cap. At either cap, and when the spool needs the room, the oldest are dropped and counted
	Canary      time.Duration `env:"CANARY_INTERVAL" envDefault:"1m"`                 // interval of the canary; 0: none

	Listen string        `env:"LISTEN" envDefault:":8081"`                           // address of the HTTP server for metrics, health and dead letters
	Token  secret.String `env:"CONNECTOR_TOKEN_SECRET" envDefault:"connector-token"` // secret that calls for dead letters must carry
}

// Access is how to reach the broker.
func (c Config) Access() mqttclient.Access {
	return mqttclient.Access{URL: c.URL, ClientID: c.ClientID, User: c.User, Password: c.Password, CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile,
		IDAdvice: "set MQTT_CLIENT_ID to one that no other client uses"}
}

// check returns an error that names the first setting of the spool or the dead letters
// that is wrong.
func (c Config) check() error {
	switch {
	case c.SpoolPolicy != "refuse" && c.SpoolPolicy != "drop":
		return fmt.Errorf("configuration: SPOOL_POLICY is %q: write refuse or drop", c.SpoolPolicy)
	case c.SpoolMiB < 1 || c.SpoolMiB > maxMiB:
		return fmt.Errorf("configuration: SPOOL_MAX_MIB is %d: write 1 to %d", c.SpoolMiB, int64(maxMiB))
	case c.DeadMax < 1:
		return fmt.Errorf("configuration: DEAD_MAX is %d: write 1 or more", c.DeadMax)
	case c.DeadMiB < 1 || c.DeadMiB > maxMiB:
		return fmt.Errorf("configuration: DEAD_MAX_MIB is %d: write 1 to %d", c.DeadMiB, int64(maxMiB))
	case c.SpoolSync < 0:
		return fmt.Errorf("configuration: SPOOL_SYNC is %s: write 0s or more", c.SpoolSync)
	}
	return nil
}

const maxMiB = 1 << 40 // of a cap

// spoolOptions returns the options of a spool. c is checked.
func (c Config) spoolOptions() spool.Options {
	o := spool.Options{MaxBytes: c.SpoolMiB << 20, Policy: spool.RefuseNewest, Sync: c.SpoolSync}
	if c.SpoolPolicy == "drop" {
		o.Policy = spool.DropOldest
	}
	if c.ackLater() {
		o.Sync = -1
	}
	return o
}

// ackLater reports whether intake syncs the spool when it needs to, instead of the
// spool at each write.
func (c Config) ackLater() bool { return c.ByLoad && c.SpoolSync == 0 }

// evictCap returns the spool's cap in bytes for deliver.Options.SpoolCap. It is 0 if
// the spool drops its oldest messages at the cap: then a stuck function does not block
// the others.
func (c Config) evictCap() int64 {
	if c.SpoolPolicy != "refuse" {
		return 0
	}
	return c.SpoolMiB << 20
}
