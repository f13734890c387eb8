package alarms

import (
	"database/sql"
	"fmt"
	"time"
)

// notice is a row of the outbox.
type notice struct {
	key, what string
	at        time.Time
	text      string
}

func (n notice) String() string {
	return fmt.Sprintf("%s %s at %s", n.key, n.what, n.at.Format(stamp))
}

// told returns the messages of the outbox, oldest first.
func (m *month) told() (out []notice) {
	db, err := sql.Open("sqlite", m.path)
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query(`select key, what, created, text from outbox order by created, key`)
	if err != nil {
		m.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var n notice
		var created int64
		if err := rows.Scan(&n.key, &n.what, &created, &n.text); err != nil {
			m.t.Fatal(err)
		}
		n.at = time.UnixMicro(created).UTC()
		out = append(out, n)
	}
	if err := rows.Err(); err != nil {
		m.t.Fatal(err)
	}
	return out
}

// checkOutages checks what Slack was told while there was no database: the first word
// within five minutes, not more than once an hour, and that it is right again.
func (m *month) checkOutages() {
	for _, f := range m.faults {
		if f.key != "store-away" {
			continue
		}
		var during, after int
		for _, at := range m.direct {
			switch {
			case at.Before(f.begin) || at.After(f.end.Add(time.Hour)):
			case at.Before(f.end):
				during++
				if during == 1 && at.Sub(f.begin) > 5*time.Minute {
					m.t.Errorf("the database's outage at %s was told at %s", f.begin.Format(stamp), at.Format(stamp))
				}
			default:
				after++
			}
		}
		if hours := int(f.end.Sub(f.begin).Hours()) + 1; during < 1 || during > hours || after < 1 {
			m.t.Errorf("the database's outage at %s was told %d times, and its end %d times", f.begin.Format(stamp), during, after)
		}
	}
}
