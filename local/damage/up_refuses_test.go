package damage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hearth-home/hearth/shared/testserver"
)

// A platform that cannot use its folder says so in one line.
func TestAPlatformSaysWhyItCannotUseItsFolder(t *testing.T) {
	for name, c := range map[string]struct {
		damage damage
		says   string
	}{
		"the folder is a file":                     {file("."), "move it away"},
		"the connector's folder is a file":         {file("connector"), "move it away"},
		"the folder of the dead letters is a file": {file("connector/dead"), "move it away"},
		"the folder of secrets is a file":          {file("secrets"), "move it away"},
	} {
		t.Run(name, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "state")
			if err := os.MkdirAll(filepath.Join(state, "connector"), 0o700); err != nil {
				t.Fatal(err)
			}
			c.damage(t, state)
			newPlatform(t, state).refuses(c.says, "HEARTH_DIR", state)
		})
	}
	t.Run("the disk is read-only", func(t *testing.T) {
		disk := testserver.SmallDisk(t, 8)
		readOnly(t, disk)
		newPlatform(t, disk).refuses("read-only", "can write to", "HEARTH_DIR", disk)
	})
	t.Run("the disk is full", func(t *testing.T) {
		disk := testserver.SmallDisk(t, 8)
		fill(t, disk)
		newPlatform(t, disk).refuses("no space", "free space", "HEARTH_DIR", disk)
	})
}

// While the disk is full, the platform runs, starts again or says why it cannot, and stops.
// Once there is space again it goes on, and nothing is lost.
func TestAPlatformOnAFullDisk(t *testing.T) {
	disk := testserver.SmallDisk(t, 16)
	p := newPlatform(t, disk)
	p.runs()
	p.publish(1)
	p.untilStored(1)
	free := fill(t, disk)
	p.publish(2, 3)
	p.until("the platform notices", func() bool { return strings.Contains(p.read(p.log), "disk is full") })
	free()
	p.untilStored(1, 2, 3)
	free = fill(t, disk)
	p.stopsCleanly()
	newPlatform(t, disk).refuses("no space", "free space", "HEARTH_DIR")
	free()
	p = newPlatform(t, disk)
	p.runs()
	p.publish(4)
	p.untilStored(1, 2, 3, 4)
	p.stopsCleanly()
}

// SIGTERM ends a start wherever it is, also while the database is locked.
func TestAPlatformStopsWhileItStarts(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state")
	stops := func(p *platform) {
		t.Helper()
		if code := p.stop(); code > 0 && !strings.Contains(p.read(p.errs), "hearth: stopped") {
			t.Errorf("exit code %d: %s", code, p.read(p.errs))
		}
	}
	for i := range 6 {
		p := newPlatform(t, state)
		time.Sleep(time.Duration(i*i) * 10 * time.Millisecond) // somewhere in its start
		stops(p)
	}
	p := newPlatform(t, state)
	p.runs()
	p.stopsCleanly()
	mute, asked := silent(t, nil) // the user's own broker
	p = newPlatform(t, state, "MQTT_URL", "tcp://"+mute)
	p.until("it waits for the broker", received(asked, func(string) bool { return true }))
	p.stopsCleanly()
	unlock := locked(t, state)
	defer unlock()
	p = newPlatform(t, state)
	time.Sleep(300 * time.Millisecond) // it waits for the database by now
	stops(p)
}
