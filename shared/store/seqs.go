package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// MaxBoots is how many boots of a node are kept. If a node has so many, an unknown boot
// may be one that was deleted.
const MaxBoots = 100

const (
	keepBoots    = 90 * 24 * time.Hour // after the last message of the boot
	recentBoots  = 24 * time.Hour
	keepArrivals = 7 * 24 * time.Hour
)

const seqColumns = `node, boot, started, seen, upto, highest, first, missing, holes, lost`

// EdgeSeqs returns the sequence numbers of all boots, by node and the newest boot first.
func (s *Store) EdgeSeqs(ctx context.Context) ([]EdgeSeq, error) {
	return query(ctx, s, "read the sequence numbers of edge nodes", scanSeq,
		`select `+seqColumns+` from edge_seqs order by node, started desc, boot`)
}

func scanSeq(rows *sql.Rows) (e EdgeSeq, err error) {
	err = rows.Scan(&e.Node, &e.Boot, scanTime{&e.Started}, scanTime{&e.Seen}, &e.Upto, &e.Highest, &e.First, &e.Missing,
		scanJSON[[]Span]{&e.Holes}, scanJSON[[]Span]{&e.Lost})
	return e, err
}

// count calls c.Count under a lock on the nodes and stores its result.
func count(ctx context.Context, tx *txn, c DeviceChange) error {
	if len(c.Nodes) == 0 {
		return nil
	}
	nodes := make([]string, len(c.Nodes))
	args := make([]any, len(nodes))
	for i, n := range slices.Sorted(slices.Values(c.Nodes)) {
		nodes[i] = clean(n)
		args[i] = nodes[i]
	}
	if tx.dialect == Postgres { // an advisory lock, because a node's first boot has no row to lock
		if _, err := tx.ExecContext(ctx, `select pg_advisory_xact_lock(hashtext('hearth edge'), hashtext(n)) from unnest($1::text[]) n`, nodes); err != nil {
			return err
		}
	}
	known, err := Rows(ctx, tx, scanSeq, `select `+seqColumns+` from edge_seqs where node in (`+tx.params(1, len(args))+`) order by node, started, boot`, args...)
	if err != nil {
		return err
	}
	seqs := c.Count(known)
	for chunk := range slices.Chunk(seqs, chunkRows) {
		if err := writeSeqs(ctx, tx, chunk); err != nil {
			return err
		}
	}
	return pruneBoots(ctx, tx, seqs, known)
}

// pruneBoots deletes old boots of the nodes that have a new boot, and those beyond
// MaxBoots: first those that were not seen for a day, then those with the fewest
// numbers. So a node whose topic another client floods with boots keeps its own.
func pruneBoots(ctx context.Context, tx *txn, seqs, known []EdgeSeq) error {
	pruned := map[string]bool{}
	for _, e := range seqs {
		if pruned[e.Node] || slices.ContainsFunc(known, func(k EdgeSeq) bool { return k.Node == e.Node && k.Boot == e.Boot }) {
			continue
		}
		pruned[e.Node] = true
		if _, err := tx.ExecContext(ctx, `delete from edge_seqs where node = $1 and seen < $2`, clean(e.Node), stamp(e.Seen.Add(-keepBoots))); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `delete from edge_seqs where node = $1 and boot not in (select boot from edge_seqs where node = $2
			order by case when seen >= $3 then 0 else 1 end, case when seen >= $4 then highest end desc, seen desc, boot limit $5)`,
			clean(e.Node), clean(e.Node), stamp(e.Seen.Add(-recentBoots)), stamp(e.Seen.Add(-recentBoots)), MaxBoots); err != nil {
			return err
		}
	}
	return nil
}

func writeSeqs(ctx context.Context, tx *txn, seqs []EdgeSeq) error {
	args := make([]any, 0, len(seqs)*10)
	for _, e := range seqs {
		holes, err := encode(append([]Span{}, e.Holes...))
		if err != nil {
			return err
		}
		lost, err := encode(append([]Span{}, e.Lost...))
		if err != nil {
			return err
		}
		args = append(args, clean(e.Node), clean(e.Boot), stamp(e.Started), stamp(e.Seen), e.Upto, e.Highest, e.First, e.Missing, holes, lost)
	}
	_, err := tx.ExecContext(ctx, `insert into edge_seqs (`+seqColumns+`) values `+tx.values(len(seqs), 10)+`
		on conflict (node, boot) do update set seen = excluded.seen, upto = excluded.upto, highest = excluded.highest,
			missing = excluded.missing, holes = excluded.holes, lost = excluded.lost`, args...)
	return err
}

// FirstArrivals returns, in order, when each reading first arrived: the stored time if
// it arrived before, else the given time, which is stored.
func (s *Store) FirstArrivals(ctx context.Context, as []EdgeArrival) (out []time.Time, err error) {
	if len(as) == 0 {
		return nil, nil
	}
	err = s.tx(ctx, "store arrivals", func(ctx context.Context, tx *txn) error {
		firstArrivals := firstArrivalsByRow
		if tx.dialect == Postgres {
			firstArrivals = firstArrivalsByArray
		}
		if out, err = firstArrivals(ctx, tx, as); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `delete from edge_arrivals where nanos < $1`, as[0].Time.Add(-keepArrivals).UnixNano())
		return err
	})
	return out, err
}

// firstArrivalsByRow runs two statements for each reading, which is fast on SQLite.
func firstArrivalsByRow(ctx context.Context, tx *txn, as []EdgeArrival) ([]time.Time, error) {
	out := make([]time.Time, len(as))
	for i, a := range as {
		if _, err := tx.ExecContext(ctx, `insert into edge_arrivals (node, boot, seq, nanos) values ($1, $2, $3, $4) on conflict do nothing`,
			clean(a.Node), clean(a.Boot), a.Seq, a.Time.UnixNano()); err != nil {
			return nil, err
		}
		var nanos int64
		if err := tx.QueryRowContext(ctx, `select nanos from edge_arrivals where node = $1 and boot = $2 and seq = $3`,
			clean(a.Node), clean(a.Boot), a.Seq).Scan(&nanos); err != nil {
			return nil, err
		}
		out[i] = time.Unix(0, nanos).UTC()
	}
	return out, nil
}

// firstArrivalsByArray sends all readings as arrays, in two statements: a round trip for
// each reading would be slow.
func firstArrivalsByArray(ctx context.Context, tx *txn, as []EdgeArrival) ([]time.Time, error) {
	nodes, boots, seqs, nanos := make([]string, len(as)), make([]string, len(as)), make([]int64, len(as)), make([]int64, len(as))
	for i, a := range as {
		nodes[i], boots[i], seqs[i], nanos[i] = clean(a.Node), clean(a.Boot), int64(a.Seq), a.Time.UnixNano()
	}
	if _, err := tx.ExecContext(ctx, `
		insert into edge_arrivals (node, boot, seq, nanos)
		select distinct on (node, boot, seq) node, boot, seq, nanos
		from unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) with ordinality as u (node, boot, seq, nanos, i)
		order by node, boot, seq, i
		on conflict do nothing`, nodes, boots, seqs, nanos); err != nil {
		return nil, err
	}
	return Rows(ctx, tx, func(rows *sql.Rows) (t time.Time, err error) {
		var n int64
		err = rows.Scan(&n)
		return time.Unix(0, n).UTC(), err
	}, `
		select a.nanos from unnest($1::text[], $2::text[], $3::bigint[]) with ordinality as u (node, boot, seq, i)
		join edge_arrivals a using (node, boot, seq) order by i`, nodes, boots, seqs)
}

// MarshalJSON writes a span as [from, to, since].
func (s Span) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "[%d,%d,%d]", s.From, s.To, s.Since), nil
}

// UnmarshalJSON parses [from, to, since].
func (s *Span) UnmarshalJSON(b []byte) error {
	var v [3]json.Number
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	_, err := fmt.Sscan(v[0].String()+" "+v[1].String()+" "+v[2].String(), &s.From, &s.To, &s.Since)
	return err
}
