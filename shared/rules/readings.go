package rules

// JudgesReadings reports whether a rule judges nothing but readings as they are stored: it
// has a threshold, or is about silence or a value that does not change.
func (s *Set) JudgesReadings(name string) bool {
	_, general := s.specs[name]
	return !general && s.names[name] || name == Silent || name == Frozen
}
