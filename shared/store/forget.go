package store

import (
	"context"
	"slices"
)

// Forgotten is what ForgetDevices has deleted.
type Forgotten struct {
	Devices  int // rows of the register
	Physical int // their physical ids, earlier ones too
	States   int // their latest values
}

// ForgetDevices deletes devices from the register, with their physical ids, states,
// cadences and maintenance dates, and the numbering of those that are edge nodes. It ignores ids
// that are not in the register. Readings stay. All processes that have claimed the
// devices have to claim them again before their next write, and so read the register
// again. A batch that began before may still write states of a device; they are deleted
// when the device comes back, or by the next call.
func (s *Store) ForgetDevices(ctx context.Context, ids []string) (f Forgotten, err error) {
	ids = slices.Sorted(slices.Values(ids)) // the order in which batches write states, so that they cannot deadlock
	err = s.tx(ctx, "forget devices", func(ctx context.Context, tx *txn) error {
		f = Forgotten{}
		for _, id := range slices.Compact(ids) {
			if err := forgetDevice(ctx, tx, id, &f); err != nil {
				return err
			}
		}
		if f.Devices == 0 {
			return nil
		}
		for _, text := range []string{
			`delete from device_states where device not in (select id from devices)`,
			`update device_writers set writer = ''`,
		} {
			if _, err := tx.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		return nil
	})
	return f, err
}

const nodeOf = `(select substr(physical, 6) from device_ids where device = $1 and physical like 'node/%')`

func forgetDevice(ctx context.Context, tx *txn, id string, f *Forgotten) error {
	ignored := 0
	for _, of := range []struct {
		text    string
		deleted *int
	}{
		{`delete from device_states where device = $1`, &f.States},
		{`delete from cadences where device = $1`, &ignored},
		{`delete from page_devices where device = $1`, &ignored},
		{`delete from edge_arrivals where node in ` + nodeOf, &ignored},
		{`delete from edge_seqs where node in ` + nodeOf, &ignored},
		{`delete from device_ids where device = $1`, &f.Physical},
		{`delete from until_dates where kind = '` + Maintenance + `' and subject = 'device/' || $1`, &ignored},
		{`update devices set replaced_by = '' where replaced_by = $1`, &ignored},
		{`delete from devices where id = $1`, &f.Devices},
	} {
		res, err := tx.ExecContext(ctx, of.text, id)
		if err != nil {
			return err
		}
		n, err := res.RowsAffected()
		if err != nil {
			return err
		}
		*of.deleted += int(n)
	}
	return nil
}
