// Package host reads values of the machine itself: temperatures, fans, processor
// frequency, load, memory, disks, network, the Raspberry Pi's undervoltage alarm and
// NVIDIA cards.
//
// It reads files of /proc and /sys below a root folder. In a container the host's files
// are mounted there (https://docs.kernel.org/admin-guide/sysfs-rules.html,
// https://docs.kernel.org/hwmon/sysfs-interface.html). Values that a machine does not have
// are left out.
//
// Pitfalls:
//   - a thermal zone may return EINVAL or ENODATA, for example of a Wi-Fi card that is off;
//   - the numbers of zones and hwmon chips change from boot to boot, so a key contains the
//     name of what is measured; several of one kind are counted in the order of their devices;
//   - the processor's usage is the average since the last Read, so the first Read has none;
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
	"github.com/hearth-home/hearth/shared/config"
)

// Config configures the sensor.
type Config struct {
	Root      string      `env:"ROOT" envDefault:"/"`                // folder that contains the host's /proc and /sys
	Mounts    config.List `env:"MOUNTS" envDefault:"/"`              // file systems whose space is reported
	NVIDIASMI string      `env:"NVIDIA_SMI" envDefault:"nvidia-smi"` // command; empty: leave NVIDIA cards out

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

// Counts returns the driver's counts: a frame is a Read.
func (d *dev) Counts() driver.Counts { return d.counts }

// Read reads all values once.
func (d *dev) Read(ctx context.Context) (driver.Sample, error) {
	s := driver.New()
	for _, part := range []func(*driver.Sample){
		d.thermal, d.hwmon, d.frequency, d.cores, d.load, d.usage, d.memory, d.space, d.disks, d.network, d.uptime,
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

// text returns a file's content without outer white space, or "" if it cannot be read.
func (d *dev) text(name ...string) string {
	b, err := fs.ReadFile(d.fsys, path.Join(name...))
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// number returns a file's content as a finite number.
func (d *dev) number(name ...string) (float64, bool) {
	v, err := strconv.ParseFloat(d.text(name...), 64)
	return v, err == nil && v-v == 0 // not infinite, not NaN
}

// list returns the names in a folder, none if it cannot be read.
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
