package sim

import (
	"encoding/binary"
	"time"

	"github.com/hearth-home/hearth/edge/sensirion"
)

// sensirionChip implements the rules of all Sensirion chips. The answer to a command can be
// read once, after the command's execution time. A read before that time, or of more words
// than the answer has, is not acknowledged.
type sensirionChip struct {
	Faults
	busy   time.Time
	answer []uint16
}

func (s *sensirionChip) faultsOf() *Faults { return &s.Faults }

// tx does one transaction. command sets the answer and returns its execution time.
func (s *sensirionChip) tx(now time.Time, w, r []byte, command func(cmd uint16, args []uint16) (time.Duration, error)) error {
	if now.Before(s.busy) {
		return errNACK
	}
	if len(w) > 0 {
		args, err := sensirion.ParseWords(w[min(len(w), 2):])
		if len(w) < 2 || err != nil {
			return errNACK
		}
		s.answer = nil
		took, err := command(binary.BigEndian.Uint16(w), args)
		if err != nil {
			return err
		}
		s.busy = now.Add(took)
	}
	if len(r) == 0 {
		return nil
	}
	if now.Before(s.busy) || len(r) > 3*len(s.answer) {
		return errNACK
	}
	var b []byte
	for _, word := range s.answer {
		b = binary.BigEndian.AppendUint16(b, word)
		b = append(b, sensirion.CRC(b[len(b)-2:]))
	}
	copy(r, b)
	s.answer = nil
	return nil
}
