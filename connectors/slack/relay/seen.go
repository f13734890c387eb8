package relay

import (
	"context"
	"fmt"

	"github.com/hearth-home/hearth/shared/spool"
)

const remembered = 500 // clicks

// seen knows the ids of the last clicks. Its reader keeps their records in the spool, so
// that they are known after a restart.
type seen struct {
	reader *spool.Reader
	ids    map[string]spool.Seq
}

// readSeen reads the last clicks from the spool. A record that cannot be read is not known.
func readSeen(ctx context.Context, l *spool.Log) (*seen, error) {
	reader, err := l.Reader("seen")
	if err != nil {
		return nil, fmt.Errorf("read the spool: %w", err)
	}
	s := &seen{reader: reader, ids: map[string]spool.Seq{}}
	for ctx.Err() == nil {
		records, err := reader.Poll(remembered, 0)
		if err != nil {
			return nil, fmt.Errorf("read the spool: %w", err)
		}
		if len(records) == 0 {
			return s, nil
		}
		for _, rec := range records {
			if c, err := decode(rec.Data); err == nil {
				s.add(c, rec.Seq)
			}
		}
	}
	return nil, ctx.Err()
}

// has reports whether a click was added.
func (s *seen) has(c click) bool {
	_, known := s.ids[c.ID]
	return known
}

// add adds a click, and forgets those that are too old.
func (s *seen) add(c click, seq spool.Seq) {
	s.ids[c.ID] = seq
	if seq <= remembered {
		return
	}
	s.reader.Commit(seq - remembered)
	for id, of := range s.ids {
		if of <= seq-remembered {
			delete(s.ids, id)
		}
	}
}
