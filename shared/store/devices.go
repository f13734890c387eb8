package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strconv"
	"time"
)

const maxNamesakes = 1000 // devices that are requested under one id

// Devices returns the register, by id. Maintenance lasts until the later of what
// hearth.yml names and a button has set.
func (s *Store) Devices(ctx context.Context) ([]Device, error) {
	return query(ctx, s, "read the devices", func(rows *sql.Rows) (d Device, err error) {
		var button time.Time
		err = rows.Scan(&d.ID, &d.Kind, &d.Name, &d.Room, &d.ReplacedBy, scanTime{&d.Maintenance}, scanTime{&button}, scanTime{&d.Seen})
		d.Maintenance = later(d.Maintenance, button)
		return d, err
	}, `select d.id, d.kind, d.name, d.room, d.replaced_by, d.maintenance, u.until, d.seen
		from devices d left join until_dates u on u.kind = $1 and u.subject = d.id order by d.id`, Maintenance)
}

const idColumns = `physical, device, name, about, since, until`

// DeviceIDs returns which physical things the devices are now; with all, also
// what they were.
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

// AdoptDevices returns which device each requested thing is, in order. What is new takes the
// place of what had its name and left, or becomes a device under the id that is
// requested; where another thing has that, with a number behind.
func (s *Store) AdoptDevices(ctx context.Context, requests []DeviceRequest, now time.Time) (out []DeviceID, err error) {
	err = s.tx(ctx, "register devices", func(ctx context.Context, tx *txn) error {
		out = make([]DeviceID, 0, len(requests))
		for _, r := range requests {
			id, err := adopt(ctx, tx, r, now)
			if err != nil {
				return fmt.Errorf("%s: %w", r.Physical, err)
			}
			out = append(out, id)
		}
		return nil
	})
	return out, err
}

func adopt(ctx context.Context, tx *txn, r DeviceRequest, now time.Time) (DeviceID, error) {
	id, ok, err := boundTo(ctx, tx, r.Physical)
	if ok || err != nil {
		return id, err
	}
	left, err := leftBy(ctx, tx, r)
	if err != nil {
		return id, err
	}
	if left != "" {
		r.Device = left
	}
	for n := 1; n <= maxNamesakes; n++ {
		device := r.Device
		if n > 1 {
			device += "-" + strconv.Itoa(n)
		}
		free, err := reserve(ctx, tx, device, r, now)
		if err != nil {
			return id, err
		}
		if !free {
			continue
		}
		if err := bind(ctx, tx, r, device, now); err != nil {
			return id, err
		}
		id, _, err = boundTo(ctx, tx, r.Physical) // another process may have been first
		return id, err
	}
	return id, fmt.Errorf("%d devices are called %s", maxNamesakes, r.Device)
}

// leftBy returns the device that something of the same kind and name was last,
// if nothing is now: the thing was swapped for a new one.
func leftBy(ctx context.Context, tx *txn, r DeviceRequest) (string, error) {
	ids, err := queryIn(ctx, tx, func(rows *sql.Rows) (id string, err error) {
		err = rows.Scan(&id)
		return id, err
	}, `select i.device from device_ids i join devices d on d.id = i.device
		where i.name = $1 and d.kind = $2 and i.until is not null
			and not exists (select 1 from device_ids now where now.device = i.device and now.until is null)
		order by i.until desc limit 1`, clean(r.Name), r.Kind)
	if len(ids) == 0 {
		return "", err
	}
	return ids[0], err
}

func boundTo(ctx context.Context, tx *txn, physical string) (DeviceID, bool, error) {
	ids, err := queryIn(ctx, tx, scanDeviceID, `select `+idColumns+` from device_ids where physical = $1 and until is null`, clean(physical))
	if len(ids) == 0 {
		return DeviceID{}, false, err
	}
	return ids[0], true, err
}

// reserve makes the device, or takes one that is no physical thing now.
func reserve(ctx context.Context, tx *txn, device string, r DeviceRequest, now time.Time) (bool, error) {
	res, err := tx.ExecContext(ctx, `
		insert into devices (id, kind, name, room, replaced_by, seen) values ($1, $2, $3, '', '', $4) on conflict (id) do nothing`,
		device, r.Kind, clean(r.Name), stamp(now))
	if err != nil {
		return false, err
	}
	if n, err := res.RowsAffected(); n > 0 || err != nil {
		return err == nil, err
	}
	taken, err := queryIn(ctx, tx, scanDeviceID, `select `+idColumns+` from device_ids where device = $1 and until is null limit 1`, device)
	return len(taken) == 0, err
}

func bind(ctx context.Context, tx *txn, r DeviceRequest, device string, now time.Time) error {
	about := "{}"
	if len(r.About) > 0 {
		about = string(r.About)
	}
	_, err := tx.ExecContext(ctx, `
		insert into device_ids (physical, since, device, name, about) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		clean(r.Physical), stamp(now), device, clean(r.Name), about)
	return err
}

// DescribeDevices keeps what sources call physical things and say of them. A
// device's name for people follows, unless a person has chosen another.
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
	return s.tx(ctx, "let devices go", func(ctx context.Context, tx *txn) error {
		for _, p := range physical {
			if _, err := tx.ExecContext(ctx, `update device_ids set until = $1 where physical = $2 and until is null`, stamp(now), clean(p)); err != nil {
				return err
			}
		}
		return nil
	})
}

// ConfigureDevices does what a person has decided: names, rooms, maintenance,
// and which physical thing a device is from now on. settings are all there are: a
// device that had one the last time and has none now has no name, room and
// maintenance by a person any more. A device without a room in its setting has none.
// One without a name keeps what a source called it; a name that a person gave it
// before falls back to what its source calls it.
func (s *Store) ConfigureDevices(ctx context.Context, settings []DeviceSetting, now time.Time) error {
	return s.tx(ctx, "configure devices", func(ctx context.Context, tx *txn) error {
		before, err := queryIn(ctx, tx, scanNamed, namedQuery, namedDevices)
		if err != nil {
			return err
		}
		var gone []DeviceSetting
		var names []string
		for _, d := range settings {
			names = append(names, d.Device)
		}
		for _, id := range slices.Concat(before...) {
			if !slices.Contains(names, id) {
				gone = append(gone, DeviceSetting{Device: id, Kind: "mapped"})
			}
		}
		for _, d := range slices.Concat(gone, settings) { // behind: one may replace what is gone
			if err := configure(ctx, tx, d, now); err != nil {
				return fmt.Errorf("%s: %w", d.Device, err)
			}
		}
		return setNamed(ctx, tx, namedDevices, names)
	})
}

func configure(ctx context.Context, tx *txn, d DeviceSetting, now time.Time) error {
	name := d.Name
	if name == "" {
		name = d.Device
	}
	if _, err := tx.ExecContext(ctx, `
		insert into devices (id, kind, name, room, replaced_by, maintenance, seen) values ($1, $2, $3, $4, '', $5, $6)
		on conflict (id) do update set room = excluded.room, maintenance = excluded.maintenance, replaced_by = '',
			name = case when $7 <> '' then excluded.name
				when exists (select 1 from device_ids i where i.device = devices.id and i.name = devices.name) then devices.name
				else coalesce((select i.name from device_ids i where i.device = devices.id and i.name <> i.physical
					order by i.until is not null, i.since desc, i.physical limit 1), excluded.name) end`,
		d.Device, d.Kind, clean(name), clean(d.Room), stamp(d.Maintenance), stamp(now), clean(d.Name)); err != nil {
		return err
	}
	for _, physical := range d.Physical {
		old, bound, err := boundTo(ctx, tx, physical)
		if err != nil {
			return err
		}
		if bound && old.Device == d.Device {
			continue
		}
		r := DeviceRequest{Physical: physical, Name: physical}
		if bound {
			r.Name, r.About = old.Name, old.About
			if err := unbind(ctx, tx, old, d.Device, now); err != nil {
				return err
			}
		}
		if err := bind(ctx, tx, r, d.Device, now); err != nil {
			return err
		}
	}
	return nil
}

// unbind ends what a physical thing was. A device that is nothing else is
// replaced by the next.
func unbind(ctx context.Context, tx *txn, old DeviceID, next string, now time.Time) error {
	if _, err := tx.ExecContext(ctx, `update device_ids set until = $1 where physical = $2 and until is null`, stamp(now), clean(old.Physical)); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `
		update devices set replaced_by = $1 where id = $2 and not exists (select 1 from device_ids where device = $3 and until is null)`,
		next, old.Device, old.Device)
	return err
}
