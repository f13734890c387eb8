package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// PageDevice is what a person said on the page about a new device, or about a topic whose
// messages no mapping reads. hearth.yml wins over it.
type PageDevice struct {
	Device  string    `json:"device,omitempty"` // id; "": it is about a topic
	Topic   string    `json:"topic,omitempty"`
	Name    string    `json:"name,omitempty"`
	Room    string    `json:"room,omitempty"`    // a device without name and room is to stay as it is
	Mapping string    `json:"mapping,omitempty"` // elements of the section devices of hearth.yml; "": the messages are to stay unmapped
	Since   time.Time `json:"since"`
}

const (
	maxPageDevices = 2000
	pageColumns    = `device, topic, name, room, mapping, since`
)

func scanPageDevice(rows *sql.Rows) (p PageDevice, err error) {
	err = rows.Scan(&p.Device, &p.Topic, &p.Name, &p.Room, &p.Mapping, scanTime{&p.Since})
	return p, err
}

// PageDevices returns what the page has saved: of devices first, then of topics.
func (s *Store) PageDevices(ctx context.Context) ([]PageDevice, error) {
	return query(ctx, s, "read what the page has saved", scanPageDevice, `select `+pageColumns+` from page_devices order by topic, device`)
}

// SavedMappings returns the mappings that the page has saved.
func (s *Store) SavedMappings(ctx context.Context) ([]string, error) {
	return query(ctx, s, "read the mappings that the page has saved", scanText, `select mapping from page_devices where mapping <> '' order by topic, device`)
}

// SavePageDevice saves what a person said, in place of what they said before, and gives the
// device its name and room. A device that is mapped by name may be new. It returns ErrFull if two
// thousand are saved.
func (s *Store) SavePageDevice(ctx context.Context, p PageDevice, mapped bool) error {
	return s.tx(ctx, "save what the page says of a device", func(ctx context.Context, tx *txn) error {
		if _, err := tx.ExecContext(ctx, `delete from page_devices where device = $1 and topic = $2`, clean(p.Device), clean(p.Topic)); err != nil {
			return err
		}
		if err := checkRoom(ctx, tx, "page_devices", maxPageDevices); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `insert into page_devices (`+pageColumns+`) values ($1, $2, $3, $4, $5, $6)`,
			clean(p.Device), clean(p.Topic), clean(p.Name), clean(p.Room), clean(p.Mapping), stamp(p.Since)); err != nil {
			return err
		}
		if p.Device == "" || p.Name == "" && p.Room == "" {
			return nil
		}
		d := DeviceSetting{Device: p.Device, Name: p.Name, Room: p.Room, Kind: "mapped"}
		if mapped {
			d.Physical = []string{MappedID(p.Device)}
		} else if known, err := Rows(ctx, tx, scanText, `select id from devices where id = $1`, p.Device); err != nil || len(known) == 0 {
			return cmp.Or(err, fmt.Errorf("there is no device %q", p.Device))
		}
		return configure(ctx, tx, d, p.Since)
	})
}

// MappedID returns the physical id of a device whose name a mapping gives as it is.
func MappedID(name string) string { return "hearth.yml/" + name }

func scanText(rows *sql.Rows) (s string, err error) {
	err = rows.Scan(&s)
	return s, err
}

// withSaved adds what the page has saved to the settings of hearth.yml, which win.
func withSaved(ctx context.Context, tx *txn, settings []DeviceSetting) ([]DeviceSetting, error) {
	saved, err := Rows(ctx, tx, scanPageDevice, `
		select `+pageColumns+` from page_devices where name || room <> '' and device in (select id from devices) order by device`)
	out := slices.Clone(settings)
	for _, p := range saved {
		i := slices.IndexFunc(out, func(d DeviceSetting) bool { return d.Device == p.Device })
		if i < 0 {
			out = append(out, DeviceSetting{Device: p.Device, Name: p.Name, Room: p.Room, Kind: "mapped"})
			continue
		}
		out[i].Name, out[i].Room = cmp.Or(out[i].Name, p.Name), cmp.Or(out[i].Room, p.Room)
	}
	return out, err
}
