// Package host reads the machine itself: temperatures by their names, clock,
// load, memory, disks, network, the Raspberry Pi's undervoltage and NVIDIA cards.
//
// It reads the files of /proc and /sys under a root, which in a container is
// where the host's are mounted (https://docs.kernel.org/admin-guide/sysfs-rules.html,
// https://docs.kernel.org/hwmon/sysfs-interface.html). What a machine does not
// have is left out.
//
// What one stumbles over:
//   - a thermal zone may answer EINVAL or ENODATA, as Wi-Fi cards do while off;
//   - zones and hwmon chips change their numbers from boot to boot, so a key is
//     made of the name; several of one name are told apart by their device;
//   - the processor's use is that since the last Read, so the first has none;
//   - bytes read, written, received and sent are counters since boot.
package host

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/hearth-home/hearth/edge/driver"
)

// Config says where to look.
type Config struct {
	Root      string   `env:"ROOT" envDefault:"/"`                // where the host's /proc and /sys are
	Mounts    []string `env:"MOUNTS" envDefault:"/"`              // file systems to report the space of
	NVIDIASMI string   `env:"NVIDIA_SMI" envDefault:"nvidia-smi"` // empty: leave NVIDIA cards out

	FS     fs.FS                                             `env:"-"` // in place of Root
	Statfs func(mount string) (size, free uint64, err error) `env:"-"`
}

// dev is the machine.
type dev struct {
	fsys   fs.FS
	cfg    Config
	counts driver.Counts
	cpu    cpuTimes
}

// newDev returns the machine. It does no I/O.
func newDev(cfg Config) *dev {
	if cfg.Root == "" {
		cfg.Root = "/"
	}
	if cfg.FS == nil {
		cfg.FS = os.DirFS(cfg.Root)
	}
	if cfg.Statfs == nil {
		root := cfg.Root
		cfg.Statfs = func(mount string) (size, free uint64, err error) { return statfs(filepath.Join(root, mount)) }
	}
	return &dev{fsys: cfg.FS, cfg: cfg}
}

// Counts tells how many times the machine was read.
func (d *dev) Counts() driver.Counts { return d.counts }

// Read reads everything once.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	s := driver.New()
	for _, part := range []func(*driver.Sample){
		d.thermal, d.hwmon, d.frequency, d.load, d.usage, d.memory, d.space, d.disks, d.network, d.uptime,
	} {
		if err := ctx.Err(); err != nil {
			return driver.Sample{}, fmt.Errorf("host: %w", err)
		}
		part(&s)
	}
	d.nvidia(ctx, &s)
	if len(s.Fields) == 0 {
		return driver.Sample{}, fmt.Errorf("host: neither /proc nor /sys can be read below %s: check ROOT: %w", d.cfg.Root, errors.ErrUnsupported)
	}
	d.counts.Frames++
	s.FlagOutOfRange()
	return s, nil
}

// text is a file's content, or "" where it cannot be read.
func (d *dev) text(name ...string) string {
	b, err := fs.ReadFile(d.fsys, path.Join(name...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// number is a file's content as a number.
func (d *dev) number(name ...string) (float64, bool) {
	v, err := strconv.ParseFloat(d.text(name...), 64)
	return v, err == nil && v-v == 0 // not infinite, not NaN
}

// list is a folder's entries; an unreadable folder has none.
func (d *dev) list(dir string) []string {
	entries, _ := fs.ReadDir(d.fsys, dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (d *dev) exists(name ...string) bool {
	_, err := fs.Stat(d.fsys, path.Join(name...))
	return err == nil
}
