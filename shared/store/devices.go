package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Devices returns all devices, by id. Maintenance is the later of the end in hearth.yml
// and the end that a button has set.
func (s *Store) Devices(ctx context.Context) ([]Device, error) {
	return query(ctx, s, "read the devices", func(rows *sql.Rows) (d Device, err error) {
		var button time.Time
		err = rows.Scan(&d.ID, &d.Kind, &d.Name, &d.Room, &d.ReplacedBy, scanTime{&d.Maintenance}, scanTime{&button}, scanTime{&d.Seen}, &d.Publisher)
		d.Maintenance = later(d.Maintenance, button)
		return d, err
	}, `select d.id, d.kind, d.name, d.room, d.replaced_by, d.maintenance, u.until, d.seen, d.publisher
		from devices d left join until_dates u on u.kind = $1 and u.subject = 'device/' || d.id order by d.id`, Maintenance)
}

const idColumns = `physical, device, name, about, since, until`

// DeviceIDs returns the current physical ids of all devices; with all, also the
// earlier ones.
func (s *Store) DeviceIDs(ctx context.Context, all bool) ([]DeviceID, error) {
	return query(ctx, s, "read the physical ids", scanDeviceID,
		`select `+idColumns+` from device_ids where until is null or $1 order by device, since, physical`, all)
}

func scanDeviceID(rows *sql.Rows) (d DeviceID, err error) {
	var about []byte
	err = rows.Scan(&d.Physical, &d.Device, &d.Name, &about, scanTime{&d.Since}, scanTime{&d.Until})
	d.About = about
	return d, err
}

// DescribeDevices stores the names and descriptions that sources give to physical ids.
// The device gets the same name, unless the user has chosen another.
func (s *Store) DescribeDevices(ctx context.Context, ids []DeviceID) error {
	if len(ids) == 0 {
		return nil
	}
	return s.tx(ctx, "describe devices", func(ctx context.Context, tx *txn) error {
		for _, d := range ids {
			if _, err := tx.ExecContext(ctx, `
				update devices set name = $1 where id = $2 and name = (select name from device_ids where physical = $3 and until is null)`,
				clean(d.Name), d.Device, clean(d.Physical)); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `update device_ids set name = $1, about = $2 where physical = $3 and until is null`,
				clean(d.Name), string(d.About), clean(d.Physical)); err != nil {
				return err
			}
		}
		return nil
	})
}

// UnbindDevices ends the bindings of these physical ids to their devices. A device
// keeps its name, room and readings for the thing that replaces it.
func (s *Store) UnbindDevices(ctx context.Context, physical []string, now time.Time) error {
	if len(physical) == 0 {
		return nil
	}
	return s.tx(ctx, "unbind devices", func(ctx context.Context, tx *txn) error {
		for _, p := range physical {
			if _, err := tx.ExecContext(ctx, `update device_ids set until = $1 where physical = $2 and until is null`, stamp(now), clean(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ConfigureDevices applies the user's settings: names, rooms, maintenance and physical
// ids. settings are the settings of all devices: a device that had a setting in the
// last call and has none now loses its name, room and maintenance from there. A device
// whose setting has no room has no room. A device whose setting has no name gets the
// name from its source. What the page has saved fills in names and rooms.
func (s *Store) ConfigureDevices(ctx context.Context, settings []DeviceSetting, now time.Time) error {
	return s.tx(ctx, "configure devices", func(ctx context.Context, tx *txn) error {
		before, err := Rows(ctx, tx, scanNamed, namedQuery, namedDevices)
		if err != nil {
			return err
		}
		var removed []DeviceSetting
		var names []string
		for _, d := range settings {
			names = append(names, d.Device)
		}
		for _, id := range slices.Concat(before...) {
			if !slices.Contains(names, id) {
				removed = append(removed, DeviceSetting{Device: id, Kind: "mapped"})
			}
		}
		all, err := withSaved(ctx, tx, settings)
		if err != nil {
			return err
		}
		for _, d := range slices.Concat(removed, all) { // removed first: a setting may replace one of them
			if err := configure(ctx, tx, d, now); err != nil {
				return fmt.Errorf("%s: %w", d.Device, err)
			}
		}
		return setNamed(ctx, tx, namedDevices, names)
	})
}

// configure applies one setting.
func configure(ctx context.Context, tx *txn, d DeviceSetting, now time.Time) error {
	if err := writeSetting(ctx, tx, d, now); err != nil {
		return err
	}
	for _, physical := range d.Physical {
		if err := rebind(ctx, tx, physical, d.Device, now); err != nil {
			return err
		}
	}
	return nil
}

// writeSetting creates or updates the device's row. Without a name in the setting, the
// device keeps a name that a source gave it. A name that the user gave it before is
// replaced by the newest name from a source, or by the device's id.
func writeSetting(ctx context.Context, tx *txn, d DeviceSetting, now time.Time) error {
	name := d.Name
	if name == "" {
		name = d.Device
	}
	_, err := tx.ExecContext(ctx, `
		insert into devices (id, kind, name, room, replaced_by, maintenance, seen) values ($1, $2, $3, $4, '', $5, $6)
		on conflict (id) do update set room = excluded.room, maintenance = excluded.maintenance, replaced_by = '',
			name = case when $7 <> '' then excluded.name
				when exists (select 1 from device_ids i where i.device = devices.id and i.name = devices.name) then devices.name
				else coalesce((select i.name from device_ids i where i.device = devices.id and i.name <> i.physical
					order by i.until is not null, i.since desc, i.physical limit 1), excluded.name) end`,
		d.Device, d.Kind, clean(name), clean(d.Room), stamp(d.Maintenance), stamp(now), clean(d.Name))
	return err
}

// rebind binds a physical id to the device and ends its binding to another device. A
// physical id that no source has named gets itself as its name.
func rebind(ctx context.Context, tx *txn, physical, device string, now time.Time) error {
	old, bound, err := binding(ctx, tx, physical)
	if err != nil || bound && old.Device == device {
		return err
	}
	r := DeviceRequest{Physical: physical, Name: physical}
	if bound {
		r.Name, r.About = old.Name, old.About
		if err := unbind(ctx, tx, old, device, now); err != nil {
			return err
		}
	}
	return bind(ctx, tx, r, device, now)
}

// unbind ends a binding. If its device has no other physical id, the device next
// replaces it.
func unbind(ctx context.Context, tx *txn, old DeviceID, next string, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `update device_ids set until = $1 where physical = $2 and until is null`, stamp(now), clean(old.Physical)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		update devices set replaced_by = $1 where id = $2 and not exists (select 1 from device_ids where device = $3 and until is null)`,
		next, old.Device, old.Device)
	return err
}
