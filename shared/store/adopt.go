package store

import (
	"context"
	"database/sql"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

const maxEarlier = 20 // earlier physical ids of a device that are kept

// AdoptDevices returns the binding of each requested physical id, in order, and
// registers the new ones. A new physical id is bound to the device of the same kind and
// name that has no physical id left, because the thing was replaced. Otherwise it gets
// a new device with the requested id, or, if another device has that id, with a hash of
// the physical id appended: which id that is depends on no third device.
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
	id, ok, err := binding(ctx, tx, r.Physical)
	if ok || err != nil {
		return id, err
	}
	vacant, err := vacantDevice(ctx, tx, r)
	if err != nil {
		return id, err
	}
	if vacant != "" {
		r.Device = vacant
	}
	for n := 0; ; n++ {
		device := r.Device
		if n > 0 {
			device = r.distinct(n)
		}
		free, err := createOrReuse(ctx, tx, device, r, now)
		if err != nil {
			return id, err
		}
		if !free { // another process has bound it
			continue
		}
		if err := bind(ctx, tx, r, device, now); err != nil {
			return id, err
		}
		id, _, err = binding(ctx, tx, r.Physical) // another process may have bound it first
		return id, err
	}
}

const maxDeviceID = 60 // bytes

// distinct returns the n-th id for a device whose requested id is taken: the requested
// one, cut if need be, and a hash of the physical id and n.
func (r DeviceRequest) distinct(n int) string {
	text := r.Physical
	if n > 1 { // another physical id has the same hash
		text += "\x00" + strconv.Itoa(n)
	}
	hash := fmt.Sprintf("-%06x", crc32.ChecksumIEEE([]byte(text))&0xffffff)
	return strings.TrimRight(r.Device[:min(len(r.Device), maxDeviceID-len(hash))], "-") + hash
}

// vacantDevice returns the last device that had a physical id of this kind and name and
// has none now, "" if there is no such device.
func vacantDevice(ctx context.Context, tx *txn, r DeviceRequest) (string, error) {
	ids, err := Rows(ctx, tx, func(rows *sql.Rows) (id string, err error) {
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

// binding returns the current binding of a physical id; false if there is none.
func binding(ctx context.Context, tx *txn, physical string) (DeviceID, bool, error) {
	ids, err := Rows(ctx, tx, scanDeviceID, `select `+idColumns+` from device_ids where physical = $1 and until is null`, clean(physical))
	if len(ids) == 0 {
		return DeviceID{}, false, err
	}
	return ids[0], true, err
}

// createOrReuse creates the device. If it exists, createOrReuse reports whether it has
// no physical id, so that it can be bound again.
func createOrReuse(ctx context.Context, tx *txn, device string, r DeviceRequest, now time.Time) (bool, error) {
	res, err := tx.ExecContext(ctx, `
		insert into devices (id, kind, name, room, replaced_by, seen, publisher) values ($1, $2, $3, '', '', $4, $5) on conflict (id) do nothing`,
		device, r.Kind, clean(r.Name), stamp(now), clean(r.Publisher))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	if n > 0 && err == nil { // a batch that began before the device was forgotten may have written states since
		_, err = tx.ExecContext(ctx, `delete from device_states where device = $1`, device)
	}
	if n > 0 || err != nil {
		return err == nil, err
	}
	taken, err := Rows(ctx, tx, scanDeviceID, `select `+idColumns+` from device_ids where device = $1 and until is null limit 1`, device)
	if len(taken) > 0 || err != nil {
		return false, err
	}
	return true, described(ctx, tx, device, r)
}

// described gives a device its kind and publisher if it never had a physical id: then
// hearth.yml has named it before its source did, and could not know them.
func described(ctx context.Context, tx *txn, device string, r DeviceRequest) error {
	_, err := tx.ExecContext(ctx, `
		update devices set kind = $2, publisher = $3 where id = $1 and not exists (select 1 from device_ids where device = $4)`,
		device, r.Kind, clean(r.Publisher), device)
	return err
}

// bind binds a physical id to a device from now on. Of the ids that the device had
// before, it keeps the latest 20.
func bind(ctx context.Context, tx *txn, r DeviceRequest, device string, now time.Time) error {
	about := "{}"
	if len(r.About) > 0 {
		about = string(r.About)
	}
	_, err := tx.ExecContext(ctx, `
		insert into device_ids (physical, since, device, name, about) values ($1, $2, $3, $4, $5) on conflict do nothing`,
		clean(r.Physical), stamp(now), device, clean(r.Name), about)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `delete from device_ids where device = $1 and until < (
		select until from device_ids where device = $2 and until is not null order by until desc limit 1 offset $3)`, device, device, maxEarlier-1)
	return err
}
