package instance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// instanceConf has the keys of the worker's JSON that are read; the rest is informative, never set, or wrong for Go (contract §1.4).
type instanceConf struct {
	PulsarServiceURL               string `json:"pulsarServiceURL"`
	PulsarWebServiceURL            string `json:"pulsarWebServiceUrl"`
	InstanceID                     whole  `json:"instanceID"`
	Port                           whole  `json:"port"`
	MetricsPort                    whole  `json:"metricsPort"`
	ClusterName                    string `json:"clusterName"`
	Tenant                         string `json:"tenant"`
	NameSpace                      string `json:"nameSpace"`
	Name                           string `json:"name"`
	LogTopic                       string `json:"logTopic"`
	Parallelism                    whole  `json:"parallelism"`
	SecretsMap                     string `json:"secretsMap"`
	UserConfig                     string `json:"userConfig"`
	ClientAuthenticationPlugin     string `json:"clientAuthenticationPlugin"`
	ClientAuthenticationParameters string `json:"clientAuthenticationParameters"`
	TLSTrustCertsFilePath          string `json:"tlsTrustCertsFilePath"`
	TLSHostnameVerificationEnable  bool   `json:"tlsHostnameVerificationEnable"`
	TLSAllowInsecureConnection     bool   `json:"tlsAllowInsecureConnection"`
	FunctionDetails                string `json:"functionDetails"`
}

// functionDetails is the protobuf-JSON of FunctionDetails (contract §2.3): fields with a default value are absent, enums are names, int64
// are strings.
type functionDetails struct {
	Tenant               string        `json:"tenant"`
	Namespace            string        `json:"namespace"`
	Name                 string        `json:"name"`
	LogTopic             string        `json:"logTopic"`
	ProcessingGuarantees Guarantees    `json:"processingGuarantees"`
	UserConfig           string        `json:"userConfig"`
	SecretsMap           string        `json:"secretsMap"`
	AutoAck              bool          `json:"autoAck"`
	Parallelism          whole         `json:"parallelism"`
	Source               sourceDetails `json:"source"`
	Sink                 struct {
		Topic string `json:"topic"`
	} `json:"sink"`
}

type sourceDetails struct {
	SubscriptionType             SubscriptionType        `json:"subscriptionType"`
	SubscriptionName             string                  `json:"subscriptionName"`
	SubscriptionPosition         SubscriptionPosition    `json:"subscriptionPosition"`
	SkipToLatest                 bool                    `json:"skipToLatest"`
	CleanupSubscription          bool                    `json:"cleanupSubscription"`
	TimeoutMs                    whole                   `json:"timeoutMs"`
	NegativeAckRedeliveryDelayMs whole                   `json:"negativeAckRedeliveryDelayMs"`
	InputSpecs                   map[string]consumerSpec `json:"inputSpecs"`
}

type consumerSpec struct {
	SchemaType        string `json:"schemaType"`
	IsRegexPattern    bool   `json:"isRegexPattern"`
	ReceiverQueueSize struct {
		Value whole `json:"value"`
	} `json:"receiverQueueSize"`
	SchemaProperties   map[string]string `json:"schemaProperties"`
	ConsumerProperties map[string]string `json:"consumerProperties"`
}

func (s *sourceDetails) inputs() []Input {
	inputs := make([]Input, 0, len(s.InputSpecs))
	for topic, spec := range s.InputSpecs {
		inputs = append(inputs, Input{
			Topic: topic, Pattern: spec.IsRegexPattern, ReceiverQueueSize: max(0, int(spec.ReceiverQueueSize.Value)),
			SchemaType: spec.SchemaType, SchemaProperties: spec.SchemaProperties, ConsumerProperties: spec.ConsumerProperties,
		})
	}
	slices.SortFunc(inputs, func(a, b Input) int { return strings.Compare(a.Topic, b.Topic) })
	return inputs
}

func (s *sourceDetails) subscription(fallback string) Subscription {
	return Subscription{
		Name: first(s.SubscriptionName, fallback), Type: s.SubscriptionType, Position: s.SubscriptionPosition,
		SkipToLatest: s.SkipToLatest, Cleanup: s.CleanupSubscription,
	}
}

// Guarantees is the function's processingGuarantees.
type Guarantees int

// The numbers are the protocol's (contract §1.4).
const (
	AtLeastOnce Guarantees = iota
	AtMostOnce
	EffectivelyOnce
	Manual
)

var guaranteesNames = []string{"ATLEAST_ONCE", "ATMOST_ONCE", "EFFECTIVELY_ONCE", "MANUAL"}

func (g Guarantees) String() string { return nameOf(guaranteesNames, int(g)) }

// UnmarshalJSON takes the enum's name or number.
func (g *Guarantees) UnmarshalJSON(b []byte) error { return decodeEnum(b, guaranteesNames, (*int)(g)) }

// SubscriptionType is the type that the worker asks for. It cannot ask for exclusive, nor in 4.0.8 for key_shared.
type SubscriptionType int

// The numbers are the protocol's (contract §2.3).
const (
	Shared SubscriptionType = iota
	Failover
	KeyShared
)

var subscriptionTypeNames = []string{"SHARED", "FAILOVER", "KEY_SHARED"}

func (t SubscriptionType) String() string { return nameOf(subscriptionTypeNames, int(t)) }

// UnmarshalJSON takes the enum's name or number.
func (t *SubscriptionType) UnmarshalJSON(b []byte) error {
	return decodeEnum(b, subscriptionTypeNames, (*int)(t))
}

// SubscriptionPosition is where a new subscription begins.
type SubscriptionPosition int

// The numbers are the protocol's (contract §2.3).
const (
	Latest SubscriptionPosition = iota
	Earliest
)

var subscriptionPositionNames = []string{"LATEST", "EARLIEST"}

func (p SubscriptionPosition) String() string { return nameOf(subscriptionPositionNames, int(p)) }

// UnmarshalJSON takes the enum's name or number.
func (p *SubscriptionPosition) UnmarshalJSON(b []byte) error {
	return decodeEnum(b, subscriptionPositionNames, (*int)(p))
}

func nameOf(names []string, n int) string {
	if n < 0 || n >= len(names) {
		return strconv.Itoa(n)
	}
	return names[n]
}

func decodeEnum(b []byte, names []string, into *int) error {
	var name string
	if json.Unmarshal(b, &name) == nil {
		*into = slices.Index(names, name)
	} else if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("expected one of %s", strings.Join(names, ", "))
	}
	if *into < 0 || *into >= len(names) {
		return fmt.Errorf("found %s, expected one of %s", b, strings.Join(names, ", "))
	}
	return nil
}

// whole is a whole number in any spelling that workers and their tools use: 5, "5" (protobuf's int64) and 5.0 (Gson's doubles).
type whole int64

// UnmarshalJSON reads the number; null leaves it.
func (w *whole) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `"`)
	if text == "null" {
		return nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		*w = whole(n)
		return nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return fmt.Errorf("found %s, expected a whole number", b)
	}
	*w = whole(f)
	return nil
}

// decodeMap reads JSON text that is itself a value in a JSON document. Empty text leaves the map nil. No part of the text appears in the error.
func decodeMap(key, text string, into *map[string]any) error {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	dec := json.NewDecoder(bytes.NewBufferString(text))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%s is not a JSON object", key)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s has more text after its JSON object", key)
	}
	return nil
}
