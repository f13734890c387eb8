package local

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// program is how a person runs hearth in the repository, after make.
const program = ".bin/hearth"

// notice is the content of running.json in the state folder: where the running platform's
// parts listen, for other commands.
type notice struct {
	Gateway string `json:"gateway"` // http://127.0.0.1:8080
	Admin   string `json:"admin"`   // host:port of the connector's API
	Broker  string `json:"broker"`  // tcp://127.0.0.1:1883
	User    string `json:"user,omitempty"`
}

func (h *Installation) noticeFile() string { return filepath.Join(h.dir, "running.json") }

func (p *platform) noticePart() part {
	return part{"notice", func(context.Context) error {
		b, err := json.Marshal(notice{"http://" + p.server.Addr, p.admin, p.mqttURL, p.vars["MQTT_USER"]})
		if err != nil {
			return err
		}
		return os.WriteFile(p.noticeFile(), b, 0o600)
	}, func(context.Context) error {
		if err := os.Remove(p.noticeFile()); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}}
}

// findRunning returns the notice of the running platform. The notice of a platform that
// was killed may still be there.
func (h *Installation) findRunning() (n notice, ok bool) {
	b, err := os.ReadFile(h.noticeFile())
	return n, err == nil && json.Unmarshal(b, &n) == nil && n.Admin != ""
}
