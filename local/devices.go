package local

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/hearth-home/hearth/shared/nearest"
	"github.com/hearth-home/hearth/shared/store"
)

// DevicePick picks devices of the register.
type DevicePick struct {
	ID   string // an id, or a pattern such as tele-*; "": any
	From string // a topic: those that were first published on it or below; "": anywhere
}

// One reports whether p can pick no more than one device.
func (p DevicePick) One() bool { return p.ID != "" && !strings.ContainsAny(p.ID, `*?[\`) }

// from returns From without the slash or the /# at its end.
func (p DevicePick) from() string { return strings.TrimRight(strings.TrimSuffix(p.From, "#"), "/") }

func (p DevicePick) matches(d store.Device) bool {
	from := p.from()
	if p.From != "" && d.Publisher != from && !strings.HasPrefix(d.Publisher, from+"/") {
		return false
	}
	if p.ID == "" || p.ID == d.ID {
		return true
	}
	ok, err := path.Match(p.ID, d.ID)
	return ok && err == nil
}

// Picked are devices of the register.
type Picked struct {
	Devices []store.Device
	Named   []string // ids of devices that were picked and stay: hearth.yml has them
}

// PickDevices returns the devices that p picks. None is an error. So is a single device
// that hearth.yml has: the functions would create it again.
func (h *Installation) PickDevices(ctx context.Context, p DevicePick) (picked Picked, err error) {
	if _, err := path.Match(p.ID, ""); err != nil {
		return picked, fmt.Errorf("%q is not a pattern, as in 'tele-*'", p.ID)
	}
	err = h.withStore(ctx, func(st *store.Store) error {
		all, err := st.Devices(ctx)
		if err != nil {
			return err
		}
		named, err := st.NamedDevices(ctx)
		if err != nil {
			return err
		}
		picked, err = pick(p, all, named)
		return err
	})
	if errors.Is(err, errNoDatabase) {
		return picked, errors.New("no device is known: nothing has run yet")
	}
	return picked, err
}

func pick(p DevicePick, all []store.Device, named []string) (picked Picked, err error) {
	if p.From != "" && p.from() == "" { // "$NODE/" without a NODE would be every device
		return picked, fmt.Errorf("--from %s names no topic: write one such as hearth/pi9 or tele; the pattern '*' is every device", p.From)
	}
	for _, d := range all {
		switch {
		case !p.matches(d):
		case slices.Contains(named, d.ID):
			picked.Named = append(picked.Named, d.ID)
		default:
			picked.Devices = append(picked.Devices, d)
		}
	}
	switch {
	case len(picked.Devices) > 0:
		return picked, nil
	case p.One() && len(picked.Named) > 0:
		return picked, fmt.Errorf("%s is in hearth.yml, as the functions last read it: remove it there first, else it comes back at once", p.ID)
	case len(picked.Named) > 0:
		return picked, fmt.Errorf("all %d devices that this picks are in hearth.yml, as the functions last read it: remove them there first", len(picked.Named))
	}
	return picked, none(p, all)
}

// none is the error of a pick that picks no device. It names the nearest.
func none(p DevicePick, all []store.Device) error {
	var ids, from []string
	for _, d := range all {
		ids = append(ids, d.ID)
		if d.Publisher != "" {
			from = append(from, d.Publisher)
		}
	}
	hint := fmt.Sprintf("the register has %d: --dry-run with '*' lists them", len(all))
	near, name := nearest.Of(p.ID, ids), ""
	switch {
	case len(all) == 0:
		hint = "the register is empty"
	case p.One() && slices.Contains(ids, p.ID):
		hint = "it is not from there"
	case p.One() && near != "":
		hint = fmt.Sprintf("did you mean %q?", near)
	case p.From != "" && nearest.Of(p.From, from) != "":
		hint = fmt.Sprintf("did you mean --from %s?", nearest.Of(p.From, from))
	}
	if p.ID != "" {
		name = fmt.Sprintf(" %q", p.ID)
	}
	if p.From != "" {
		name += fmt.Sprintf(" from %q", p.From)
	}
	return fmt.Errorf("no device%s is in the register: %s", name, hint)
}

const forgottenAtOnce = 100 // devices in one transaction

// ForgetDevices deletes devices from the register, with their latest values. Their
// readings stay. After an error, some of them may be deleted.
func (h *Installation) ForgetDevices(ctx context.Context, devices []store.Device) (f store.Forgotten, err error) {
	err = h.withStore(ctx, func(st *store.Store) error {
		for chunk := range slices.Chunk(devices, forgottenAtOnce) {
			var ids []string
			for _, d := range chunk {
				ids = append(ids, d.ID)
			}
			some, err := st.ForgetDevices(ctx, ids)
			f.Devices, f.Physical, f.States = f.Devices+some.Devices, f.Physical+some.Physical, f.States+some.States
			if err != nil {
				return err
			}
		}
		return nil
	})
	return f, err
}
