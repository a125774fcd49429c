package monitor

import (
	"maps"
	"slices"
)

// blank is the status before anybody was asked.
func (m *Monitor) blank() *Status {
	s := &Status{
		Version: m.config.Version, Function: m.config.Function, State: Unknown, Cause: "not asked yet", Instances: []Instance{},
		DeadLetters: DeadLetters{ByReason: map[string]int64{}},
	}
	if m.config.Broker == nil {
		s.Cause = "Pulsar's admin interface is not configured (userConfig.pulsar.adminURL)"
		s.Sources.Admin.Error = s.Cause
	}
	if m.config.Events == nil {
		s.Sources.Events.Error = "outcome events are not configured (output, userConfig.pulsar.serviceURL)"
	}
	if m.config.Source != nil {
		s.Sources.Postgres = &Health{Error: nameOfPostgres + " was not asked yet"}
	}
	for _, t := range m.config.Tables {
		s.Tables = append(s.Tables, TableStatus{Table: t.Table, Collection: t.Collection, Entity: t.Entity, DeadLetters: map[string]int64{}})
	}
	return s
}

// clone is a copy that does not change with the original.
func (s *Status) clone() *Status {
	c := *s
	c.Tables = slices.Clone(s.Tables)
	c.Instances = slices.Clone(s.Instances)
	c.DeadLetters.ByReason = maps.Clone(s.DeadLetters.ByReason)
	return &c
}

// For leaves out the tables that may not be seen, and what counts them, too: the records of a collection that is shared with them, and
// the instances' counters. What else concerns the function as a whole stays, except the instances' errors and causes, which may name rows
// of any table.
func (s *Status) For(see func(string) bool) any {
	if see == nil {
		return s
	}
	c := s.clone()
	hidden := map[string]bool{} // collections that have records of others
	for _, t := range s.Tables {
		hidden[t.Collection] = hidden[t.Collection] || !see(t.Table)
	}
	c.Tables = slices.DeleteFunc(c.Tables, func(t TableStatus) bool { return !see(t.Table) })
	c.DeadLetters = DeadLetters{ByReason: map[string]int64{}}
	for i, t := range c.Tables {
		if hidden[t.Collection] {
			c.Tables[i].Records = nil
		}
		addAll(c.DeadLetters.ByReason, t.DeadLetters)
	}
	c.Cause = ""
	for i := range c.Instances {
		instance := &c.Instances[i]
		instance.Cause, instance.LastError = "", ""
		instance.Received, instance.Processed, instance.Failed = nil, nil, nil
	}
	return c
}
