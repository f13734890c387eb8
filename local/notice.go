package local

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
)

// program is how a person runs hearth in the repository, after make.
const program = ".bin/hearth"

// notice is the content of running.json in the state folder: where the running platform's
// parts listen, for other commands. The platform has the file locked while it runs. A file
// that is not locked was left by a platform that was killed: other programs may have its
// ports by now.
type notice struct {
	Gateway string `json:"gateway"` // http://127.0.0.1:8080
	Admin   string `json:"admin"`   // host:port of the connector's API
	Broker  string `json:"broker"`  // tcp://127.0.0.1:1883
	User    string `json:"user,omitempty"`
	Influx  string `json:"influx,omitempty"` // INFLUX_URL
}

func (h *Installation) noticeFile() string { return filepath.Join(h.dir, "running.json") }

func (p *platform) noticePart() part {
	var f *os.File
	return part{"notice", func(context.Context) (err error) {
		f, err = writeLocked(p.noticeFile(), notice{"http://" + p.server.Addr, p.admin, p.mqttURL, p.vars["MQTT_USER"], p.vars["INFLUX_URL"]})
		return err
	}, func(context.Context) error { return errors.Join(f.Close(), os.RemoveAll(p.noticeFile())) }}
}

// writeLocked replaces a file by v as JSON. The new file is locked before it has its name,
// and until it is closed. Only this user can read it.
func writeLocked(name string, v any) (*os.File, error) {
	part := name + ".part"
	f, err := lock(part)
	if err != nil {
		return nil, err
	}
	if err = f.Truncate(0); err == nil { // an earlier process may have left it
		err = json.NewEncoder(f).Encode(v)
	}
	if err == nil {
		err = os.Rename(part, name)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(part))
	}
	return f, nil
}

// findRunning returns the notice of the running platform; ok is false if none runs.
func (h *Installation) findRunning() (n notice, ok bool) {
	f, err := os.Open(h.noticeFile())
	if err != nil {
		return n, false
	}
	defer f.Close()
	if !locked(f) {
		return n, false
	}
	b, err := io.ReadAll(f)
	return n, err == nil && json.Unmarshal(b, &n) == nil
}
