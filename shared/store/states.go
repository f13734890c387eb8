package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"
)

// saveDevices writes a change. If the change names a writer, it does so last.
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
	return noteWriter(ctx, tx, c)
}

// noteWriter takes a shared lock until the transaction ends, so that a claim waits for
// the transaction and then reads its states. If another process holds the claim,
// noteWriter ends that claim. Then both processes have to claim again before their next
// write, and read all states, because each has cached states that the other may have
// changed.
func noteWriter(ctx context.Context, tx *txn, c DeviceChange) error {
	if err := lockWriter(ctx, tx, c.Function, `pg_advisory_xact_lock_shared`); err != nil {
		return err
	}
	last, err := Rows(ctx, tx, scanWriter, `select writer from device_writers where function = $1`, c.Function)
	if err != nil || len(last) == 0 || last[0] == c.Writer {
		return err
	}
	_, err = tx.ExecContext(ctx, `update device_writers set writer = '' where function = $1`, c.Function)
	return err
}

// lockWriter takes the function's advisory lock until the transaction ends. Writers take
// it shared and claims exclusively: so a claim waits for writers, and writers do not wait
// for each other. SQLite has only one write transaction at a time and needs no lock.
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

// ClaimDevices claims the device states for a process, writer, of a function. It reports
// whether the process held the claim already: then no other process has written since
// its last claim. If held is false, the process must read the states again, because
// another process may have changed them.
func (s *Store) ClaimDevices(ctx context.Context, function, writer string) (held bool, err error) {
	last, err := query(ctx, s, "read who has claimed the devices", scanWriter, `select writer from device_writers where function = $1`, function)
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
	return query(ctx, s, "read the states of devices", scanState,
		`select `+stateColumns+` from device_states where device = $1 or $2 order by device, metric`, device, device == "")
}

// StatesOf returns the states of several devices, in no order.
func (s *Store) StatesOf(ctx context.Context, devices []string) (out []DeviceState, err error) {
	for chunk := range slices.Chunk(devices, chunkRows) {
		args := make([]any, len(chunk))
		for i, d := range chunk {
			args[i] = d
		}
		in := (&txn{dialect: s.dialect}).params(1, len(chunk))
		states, err := query(ctx, s, "read the states of devices", scanState, `select `+stateColumns+` from device_states where device in (`+in+`)`, args...)
		if err != nil {
			return nil, err
		}
		out = append(out, states...)
	}
	return out, nil
}

func scanState(rows *sql.Rows) (d DeviceState, err error) {
	var v, good sql.NullFloat64
	err = rows.Scan(&d.Device, &d.Metric, &v, &d.Text, scanTime{&d.Time}, scanTime{&d.Arrived}, scanTime{&d.Changed},
		&d.Quality, &d.Reason, &d.Retained, &good, scanTime{&d.GoodTime}, &d.Counter)
	d.Value = v.Float64
	if good.Valid {
		d.Good = &good.Float64
	}
	return d, err
}

const stateColumns = `device, metric, value, text, time, arrived, changed, quality, reason, retained, good, good_time, counter`

// onlyNewer lets only newer states replace older ones. The source's time decides; if it
// is equal or unknown in both, the time of arrival does. An unknown time is older than any
// other.
const onlyNewer = `
	on conflict (device, metric) do update set value = excluded.value, text = excluded.text, time = excluded.time,
		arrived = excluded.arrived, changed = excluded.changed, quality = excluded.quality, reason = excluded.reason,
		retained = excluded.retained, good = excluded.good, good_time = excluded.good_time,
		counter = excluded.counter
	where case
		when excluded.time is null then device_states.time is null and excluded.arrived > device_states.arrived
		when device_states.time is null then true
		else excluded.time > device_states.time or excluded.time = device_states.time and excluded.arrived > device_states.arrived
	end`

func writeDeviceStates(ctx context.Context, tx *txn, states []DeviceState) error {
	if len(states) == 0 {
		return nil
	}
	// All transactions write in the same order, so that two batches cannot deadlock.
	slices.SortFunc(states, func(a, b DeviceState) int {
		if c := strings.Compare(a.Device, b.Device); c != 0 {
			return c
		}
		return strings.Compare(a.Metric, b.Metric)
	})
	if tx.dialect == Postgres {
		return writeStateColumns(ctx, tx, states)
	}
	for chunk := range slices.Chunk(states, chunkRows) {
		args := make([]any, 0, len(chunk)*13)
		for _, d := range chunk {
			args = append(args, d.Device, d.Metric, number(d), clean(d.Text), stamp(d.Time), stamp(d.Arrived), stamp(d.Changed),
				d.Quality, clean(d.Reason), d.Retained, d.Good, stamp(d.GoodTime), d.Counter)
		}
		if _, err := tx.ExecContext(ctx, `insert into device_states (`+stateColumns+`) values `+tx.values(len(chunk), 13)+onlyNewer, args...); err != nil {
			return err
		}
	}
	return nil
}

// number returns the value to store, NULL if the state is a text.
func number(d DeviceState) *float64 {
	if d.Text != "" {
		return nil
	}
	return &d.Value
}

// writeStateColumns sends each column as an array, in one statement for all rows.
func writeStateColumns(ctx context.Context, tx *txn, states []DeviceState) error {
	n := len(states)
	devices, metrics, texts, qualities, reasons, counters := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	values, goods, retained := make([]*float64, n), make([]*float64, n), make([]bool, n)
	times, arrived, changed, goodTimes := make([]*time.Time, n), make([]time.Time, n), make([]time.Time, n), make([]*time.Time, n)
	for i := range states {
		d := &states[i]
		devices[i], metrics[i], texts[i], qualities[i], reasons[i] = d.Device, d.Metric, clean(d.Text), d.Quality, clean(d.Reason)
		values[i], goods[i], retained[i], counters[i] = number(*d), d.Good, d.Retained, d.Counter
		times[i], arrived[i], changed[i], goodTimes[i] = timeOrNull(d.Time), micros(d.Arrived), micros(d.Changed), timeOrNull(d.GoodTime)
	}
	_, err := tx.ExecContext(ctx, `
		insert into device_states (`+stateColumns+`)
		select * from unnest($1::text[], $2::text[], $3::float8[], $4::text[], $5::timestamptz[], $6::timestamptz[],
			$7::timestamptz[], $8::text[], $9::text[], $10::bool[], $11::float8[], $12::timestamptz[], $13::text[])`+onlyNewer,
		devices, metrics, values, texts, times, arrived, changed, qualities, reasons, retained, goods, goodTimes, counters)
	return err
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = micros(t)
	return &t
}

const lettersAtOnce = 100 // dead letters in one statement, up to 4 KiB each

func writeDead(ctx context.Context, tx *txn, letters []DeadLetter) error {
	for chunk := range slices.Chunk(latestReports(letters), lettersAtOnce) {
		args := make([]any, 0, len(chunk)*11)
		for _, d := range chunk {
			args = append(args, d.ID, d.Function, clean(d.Topic), clean(d.Reason), stamp(d.First), stamp(d.Last), d.Count, d.Size,
				append([]byte{}, d.Sample...), stamp(d.Reported), d.Gone)
		}
		if _, err := tx.ExecContext(ctx, `
			insert into dead_letters (id, function, topic, reason, first_time, last_time, count, size, sample, told, gone)
			values `+tx.values(len(chunk), 11)+`
			on conflict (id, function) do update set topic = excluded.topic, reason = excluded.reason, first_time = excluded.first_time,
				last_time = excluded.last_time, count = excluded.count, size = excluded.size, sample = excluded.sample,
				told = excluded.told, gone = excluded.gone
			where excluded.told > dead_letters.told`, args...); err != nil {
			return err
		}
	}
	return nil
}

// latestReports returns the latest report of each dead letter, because a statement can
// write a row only once. The order is the same in all transactions, so that they cannot
// deadlock. It compares ids as they are stored: clean can make two ids equal.
func latestReports(letters []DeadLetter) []DeadLetter {
	out := slices.Clone(letters)
	for i := range out {
		out[i].ID, out[i].Function = clean(out[i].ID), clean(out[i].Function)
	}
	slices.SortFunc(out, func(a, b DeadLetter) int {
		return cmp.Or(strings.Compare(a.ID, b.ID), strings.Compare(a.Function, b.Function), b.Reported.Compare(a.Reported))
	})
	return slices.CompactFunc(out, func(a, b DeadLetter) bool { return a.ID == b.ID && a.Function == b.Function })
}

// PruneDeadLetters deletes dead letters that were reported as replayed or dropped before
// a time, at most limit, oldest first. It returns their number.
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

// TrimDeadLetters deletes the dead letters that were reported first if there are more than
// most, and at most limit. Else it only counts them: to sort them, SQLite reads all their
// samples, and other writers would wait.
func (s *Store) TrimDeadLetters(ctx context.Context, most, limit int) error {
	n, err := query(ctx, s, "count the dead letters", func(rows *sql.Rows) (n int, err error) { err = rows.Scan(&n); return n, err }, `select count(*) from dead_letters`)
	if err != nil || len(n) == 0 || n[0] <= most {
		return err
	}
	return s.tx(ctx, "delete the oldest dead letters", func(ctx context.Context, tx *txn) error {
		_, err := tx.ExecContext(ctx, `
			delete from dead_letters where (id, function) in (select id, function from dead_letters order by told desc, id, function limit $1 offset $2)`,
			limit, most)
		return err
	})
}

// DeadCause is what the dead letters of a function have in common.
type DeadCause struct {
	Function string
	Reason   string // its first 200 characters
	Letters  int
}

// DeadCauses returns the causes of the dead letters that are neither replayed nor dropped,
// those with the most letters first, at most limit.
func (s *Store) DeadCauses(ctx context.Context, limit int) ([]DeadCause, error) {
	return query(ctx, s, "count the dead letters by cause", func(rows *sql.Rows) (d DeadCause, err error) {
		err = rows.Scan(&d.Function, &d.Reason, &d.Letters)
		return d, err
	}, `select function, substr(reason, 1, 200), count(*) from dead_letters where not gone
		group by function, substr(reason, 1, 200) order by count(*) desc, 1, 2 limit $1`, limit)
}

// DeadTopics returns the first and the last topic, in the order of their text, of the dead
// letters of a cause that are neither replayed nor dropped.
func (s *Store) DeadTopics(ctx context.Context, cause DeadCause) (first, last string, err error) {
	type span struct{ first, last string }
	spans, err := query(ctx, s, "read the topics of dead letters", func(rows *sql.Rows) (t span, err error) {
		err = rows.Scan(&t.first, &t.last)
		return t, err
	}, `select coalesce(min(topic), ''), coalesce(max(topic), '') from dead_letters
		where not gone and function = $1 and substr(reason, 1, 200) = $2`, cause.Function, cause.Reason)
	if err != nil || len(spans) == 0 {
		return "", "", err
	}
	return spans[0].first, spans[0].last, nil
}

// DeadLetters returns the newest dead letters that are neither replayed nor dropped, at
// most limit.
func (s *Store) DeadLetters(ctx context.Context, limit int) ([]DeadLetter, error) {
	return query(ctx, s, "read the dead letters", func(rows *sql.Rows) (d DeadLetter, err error) {
		err = rows.Scan(&d.ID, &d.Function, &d.Topic, &d.Reason, scanTime{&d.First}, scanTime{&d.Last}, &d.Count, &d.Size, &d.Sample, scanTime{&d.Reported}, &d.Gone)
		return d, err
	}, `select id, function, topic, reason, first_time, last_time, count, size, sample, told, gone
		from dead_letters where not gone order by last_time desc, id limit $1`, limit)
}
