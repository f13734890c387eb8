package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

func saveDevices(ctx context.Context, tx *txn, c DeviceChange) error {
	if c.Empty() {
		return nil
	}
	if err := writeDeviceStates(ctx, tx, c.States); err != nil {
		return err
	}
	if err := writeDead(ctx, tx, c.Dead); err != nil {
		return err
	}
	if err := count(ctx, tx, c); err != nil || c.Writer == "" {
		return err
	}
	return wrote(ctx, tx, c)
}

// wrote is last in its transaction: who claims the devices waits for its end and
// reads what it wrote. Where another writer has them, neither has them from now on,
// since both remember states that the other may have changed: another transaction
// of either may still be under way, and only a claim waits for it.
func wrote(ctx context.Context, tx *txn, c DeviceChange) error {
	if err := lockWriter(ctx, tx, c.Function, `pg_advisory_xact_lock_shared`); err != nil {
		return err
	}
	last, err := queryIn(ctx, tx, scanWriter, `select writer from device_writers where function = $1`, c.Function)
	if err != nil || len(last) == 0 || last[0] == c.Writer {
		return err
	}
	_, err = tx.ExecContext(ctx, `update device_writers set writer = '' where function = $1`, c.Function)
	return err
}

// lockWriter makes who claims wait for those who write, and nobody else. SQLite
// has one transaction that writes.
func lockWriter(ctx context.Context, tx *txn, function, lock string) error {
	if tx.dialect != Postgres {
		return nil
	}
	_, err := tx.ExecContext(ctx, `select `+lock+`(hashtext('hearth writer'), hashtext($1))`, function)
	return err
}

func scanWriter(rows *sql.Rows) (w string, err error) {
	err = rows.Scan(&w)
	return w, err
}

// ClaimDevices makes a process the only one that wrote for a function since, and
// reports whether it was already. Where it was not, what it remembers of devices
// may be old.
func (s *Store) ClaimDevices(ctx context.Context, function, writer string) (was bool, err error) {
	last, err := query(ctx, s, "read who wrote last", scanWriter, `select writer from device_writers where function = $1`, function)
	if err != nil || len(last) > 0 && last[0] == writer {
		return err == nil, err
	}
	return false, s.tx(ctx, "claim the devices", func(ctx context.Context, tx *txn) error {
		if err := lockWriter(ctx, tx, function, `pg_advisory_xact_lock`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `insert into device_writers (function, writer) values ($1, $2)
			on conflict (function) do update set writer = excluded.writer`, function, writer)
		return err
	})
}

// DeviceStates returns the states of a device, or of all (""), by device and metric.
func (s *Store) DeviceStates(ctx context.Context, device string) ([]DeviceState, error) {
	return query(ctx, s, "read the states of devices", func(rows *sql.Rows) (d DeviceState, err error) {
		var v, good sql.NullFloat64
		err = rows.Scan(&d.Device, &d.Metric, &v, &d.Text, scanTime{&d.Time}, scanTime{&d.Arrived}, scanTime{&d.Changed},
			&d.Quality, &d.Reason, &d.Retained, &good, scanTime{&d.GoodTime})
		d.Value = v.Float64
		if good.Valid {
			d.Good = &good.Float64
		}
		return d, err
	}, `select `+stateColumns+` from device_states where device = $1 or $2 order by device, metric`, device, device == "")
}

const stateColumns = `device, metric, value, text, time, arrived, changed, quality, reason, retained, good, good_time`

// onlyNewer is Newer in SQL. A time that is unknown is older than any other.
const onlyNewer = `
	on conflict (device, metric) do update set value = excluded.value, text = excluded.text, time = excluded.time,
		arrived = excluded.arrived, changed = excluded.changed, quality = excluded.quality, reason = excluded.reason,
		retained = excluded.retained, good = excluded.good, good_time = excluded.good_time
	where case
		when excluded.time is null then device_states.time is null and excluded.arrived > device_states.arrived
		when device_states.time is null then true
		else excluded.time > device_states.time or excluded.time = device_states.time and excluded.arrived > device_states.arrived
	end`

func writeDeviceStates(ctx context.Context, tx *txn, states []DeviceState) error {
	if len(states) == 0 {
		return nil
	}
	// In one order everywhere, so that two batches cannot lock each other out.
	slices.SortFunc(states, func(a, b DeviceState) int {
		if c := strings.Compare(a.Device, b.Device); c != 0 {
			return c
		}
		return strings.Compare(a.Metric, b.Metric)
	})
	if tx.dialect == Postgres {
		return writeStateColumns(ctx, tx, states)
	}
	for some := range slices.Chunk(states, chunkRows) {
		args := make([]any, 0, len(some)*12)
		for _, d := range some {
			args = append(args, d.Device, d.Metric, number(d), clean(d.Text), stamp(d.Time), stamp(d.Arrived), stamp(d.Changed),
				d.Quality, clean(d.Reason), d.Retained, d.Good, stamp(d.GoodTime))
		}
		if _, err := tx.ExecContext(ctx, `insert into device_states (`+stateColumns+`) values `+tx.values(len(some), 12)+onlyNewer, args...); err != nil {
			return err
		}
	}
	return nil
}

func number(d DeviceState) *float64 {
	if d.Text != "" {
		return nil
	}
	return &d.Value
}

// writeStateColumns sends arrays: one statement, whatever the number of rows.
func writeStateColumns(ctx context.Context, tx *txn, states []DeviceState) error {
	n := len(states)
	devices, metrics, texts, qualities, reasons := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	values, goods, retained := make([]*float64, n), make([]*float64, n), make([]bool, n)
	times, arrived, changed, goodTimes := make([]*time.Time, n), make([]time.Time, n), make([]time.Time, n), make([]*time.Time, n)
	for i := range states {
		d := &states[i]
		devices[i], metrics[i], texts[i], qualities[i], reasons[i] = d.Device, d.Metric, clean(d.Text), d.Quality, clean(d.Reason)
		values[i], goods[i], retained[i] = number(*d), d.Good, d.Retained
		times[i], arrived[i], changed[i], goodTimes[i] = timeOrNull(d.Time), micros(d.Arrived), micros(d.Changed), timeOrNull(d.GoodTime)
	}
	_, err := tx.ExecContext(ctx, `
		insert into device_states (`+stateColumns+`)
		select * from unnest($1::text[], $2::text[], $3::float8[], $4::text[], $5::timestamptz[], $6::timestamptz[],
			$7::timestamptz[], $8::text[], $9::text[], $10::bool[], $11::float8[], $12::timestamptz[])`+onlyNewer,
		devices, metrics, values, texts, times, arrived, changed, qualities, reasons, retained, goods, goodTimes)
	return err
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = micros(t)
	return &t
}

const lettersAtOnce = 100 // of one statement, up to 4 KiB each

func writeDead(ctx context.Context, tx *txn, letters []DeadLetter) error {
	for some := range slices.Chunk(oneEach(letters), lettersAtOnce) {
		args := make([]any, 0, len(some)*11)
		for _, d := range some {
			args = append(args, d.ID, d.Function, clean(d.Topic), clean(d.Reason), stamp(d.First), stamp(d.Last), d.Count, d.Size,
				append([]byte{}, d.Sample...), stamp(d.Reported), d.Gone)
		}
		if _, err := tx.ExecContext(ctx, `
			insert into dead_letters (id, function, topic, reason, first_time, last_time, count, size, sample, told, gone)
			values `+tx.values(len(some), 11)+`
			on conflict (id, function) do update set topic = excluded.topic, reason = excluded.reason, first_time = excluded.first_time,
				last_time = excluded.last_time, count = excluded.count, size = excluded.size, sample = excluded.sample,
				told = excluded.told, gone = excluded.gone
			where excluded.told > dead_letters.told`, args...); err != nil {
			return err
		}
	}
	return nil
}

// oneEach returns the letters in one order everywhere, and of those that the
// database takes for the same the latest news: a statement can write a row once.
func oneEach(letters []DeadLetter) []DeadLetter {
	out := slices.Clone(letters)
	for i := range out {
		out[i].ID, out[i].Function = clean(out[i].ID), clean(out[i].Function)
	}
	slices.SortFunc(out, func(a, b DeadLetter) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Function, b.Function), b.Reported.Compare(a.Reported))
	})
	return slices.CompactFunc(out, func(a, b DeadLetter) bool { return a.ID == b.ID && a.Function == b.Function })
}

// PruneDeadLetters deletes those that were gone before a time, at most limit of
// them, and returns how many.
func (s *Store) PruneDeadLetters(ctx context.Context, before time.Time, limit int) (n int64, err error) {
	err = s.tx(ctx, "delete dead letters that are gone", func(ctx context.Context, tx *txn) error {
		res, err := tx.ExecContext(ctx, `
			delete from dead_letters where (id, function) in (select id, function from dead_letters where gone and told < $1 order by told limit $2)`,
			stamp(before), limit)
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// DeadLetters returns the newest that are neither replayed nor dropped.
func (s *Store) DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error) {
	return query(ctx, s, "read the dead letters", func(rows *sql.Rows) (d DeadLetter, err error) {
		err = rows.Scan(&d.ID, &d.Function, &d.Topic, &d.Reason, scanTime{&d.First}, scanTime{&d.Last}, &d.Count, &d.Size, &d.Sample, scanTime{&d.Reported}, &d.Gone)
		return d, err
	}, `select id, function, topic, reason, first_time, last_time, count, size, sample, told, gone
		from dead_letters where not gone order by last_time desc, id limit $1`, limit)
}
