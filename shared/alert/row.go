package alert

import "time"

// TargetState is the alert state of a source's target. The store keeps it between
// runs.
type TargetState struct {
	Target  string
	Failing time.Time // start of the current failure; zero: the target works
	Alerted bool      // a message about the current failure was queued
	Causes  []string  // the kinds of cause that were reported during the current failure
	Reason  string    // of the latest failed run
	LastOK  time.Time // the latest run that worked
}
