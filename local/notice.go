package local

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// program is how a person calls this one, after make.
const program = ".bin/hearth"

// notice tells other commands where the platform of this state folder is.
type notice struct {
	Gateway string `json:"gateway"` // http://127.0.0.1:8080
	Admin   string `json:"admin"`   // host:port of the connector's own
	Broker  string `json:"broker"`  // tcp://127.0.0.1:1883
	User    string `json:"user,omitempty"`
}

func (h *Installation) noticeFile() string { return filepath.Join(h.dir, "running.json") }

func (u *up) noticePart() part {
	return part{"notice", func(context.Context) error {
		b, err := json.Marshal(notice{"http://" + u.server.Addr, u.admin, u.mqttURL, u.vars["MQTT_USER"]})
		if err != nil {
			return err
		}
		return os.WriteFile(u.noticeFile(), b, 0o600)
	}, func(context.Context) error {
		if err := os.Remove(u.noticeFile()); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}}
}

// findRunning returns where the platform is; one that was killed may have left
// the notice behind.
func (h *Installation) findRunning() (n notice, ok bool) {
	b, err := os.ReadFile(h.noticeFile())
	return n, err == nil && json.Unmarshal(b, &n) == nil && n.Admin != ""
}
