package config

// ParseAccess reads what a function needs to subscribe, however wrong other settings are: the subscription's type, and of pulsar the
// token and the caFile. What is wrong itself has its default: the type, or both of the others, since a token is meant only for whom
// the caFile trusts. It tells no faults: Parse does.
func ParseAccess(userConfig map[string]any) (subscription string, pulsar Pulsar) {
	subscription = sound(userConfig, Default().Subscription, (*section).subscription)
	return subscription, sound(userConfig, Default().Pulsar, func(root *section, p *Pulsar) { root.section("pulsar").credentials(p) })
}

// sound is what read finds, or the default where that has a fault.
func sound[T any](userConfig map[string]any, otherwise T, read func(*section, *T)) T {
	var errs []error
	found := otherwise
	read(&section{path: Root, values: userConfig, errs: &errs}, &found)
	if len(errs) > 0 {
		return otherwise
	}
	return found
}

func (s *section) subscription(into *string) {
	s.choice("subscription", into, "key_shared", "failover", "shared", "exclusive")
}

func (s *section) credentials(p *Pulsar) {
	s.secret("token", &p.Token)
	s.caFile(&p.CAFile, "") // of whatever address: the function's own is the worker's
}
