package instance

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Conf is what the functions worker tells one instance (contract §1.4). Whatever exists in both places comes from the functionDetails
// document, because the worker leaves some of the plain fields unset. It prints and logs itself without secrets.
type Conf struct {
	ServiceURL string // pulsar:// or pulsar+ssl://
	AdminURL   string // empty unless the worker exposes its admin client
	Cluster    string

	Tenant     string
	Namespace  string // without the tenant
	Name       string
	InstanceID int // 0 to Parallelism-1
	Kubernetes bool

	Port        int // of the InstanceControl service
	MetricsPort int // 0: none

	Parallelism  int
	Guarantees   Guarantees
	AutoAck      bool // MANUAL wins over it
	LogTopic     string
	Output       string
	Subscription Subscription
	Inputs       []Input // sorted by topic, at least one

	Timeout        time.Duration // 0: none
	NackRedelivery time.Duration // 0: the client's own

	// UserConfig is nil when there is none. Numbers are json.Number in the worker's spelling, which may be "1.0" for 1 (contract §4.2).
	UserConfig map[string]any `json:"-"`

	TLSTrustCertsFile string
	TLSAllowInsecure  bool
	TLSVerifyHostname bool
	AuthPlugin        string // Java class name
	authParameters    string
	secrets           map[string]any
	getenv            func(string) string
	sharded           bool // Kubernetes runtime: the worker gives every pod the id -1
}

// Subscription says how the inputs are subscribed to.
type Subscription struct {
	Name         string // default tenant/namespace/name
	Type         SubscriptionType
	Position     SubscriptionPosition
	SkipToLatest bool
	Cleanup      bool // the worker deletes the subscription when the function is deleted
}

// Input is one topic, or a pattern of topics.
type Input struct {
	Topic              string
	Pattern            bool
	ReceiverQueueSize  int // 0: not set; the client treats 0 as its default
	SchemaType         string
	SchemaProperties   map[string]string
	ConsumerProperties map[string]string
}

// confFlag is the flag of the one argument that the worker passes.
const confFlag = "instance-conf"

// ParseConf reads the command line that the functions worker starts a Go function with (contract §1.1): the flag -instance-conf and one
// JSON object. args may start with the program's name. Unknown keys are ignored, because newer workers add some. Under Kubernetes, where
// the worker cannot tell the pods apart, the instance id is taken from the environment variable POD_NAME.
func ParseConf(args []string, getenv func(string) string) (*Conf, error) {
	text, err := findConf(args)
	if err != nil {
		return nil, err
	}
	var raw instanceConf
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("parse -%s: %w", confFlag, err)
	}
	var details functionDetails
	if raw.FunctionDetails == "" {
		return nil, fmt.Errorf("parse -%s: functionDetails is empty; a Pulsar 4.0 functions worker always fills it", confFlag)
	}
	if err := json.Unmarshal([]byte(raw.FunctionDetails), &details); err != nil {
		return nil, fmt.Errorf("parse -%s: functionDetails: %w", confFlag, err)
	}
	c, err := newConf(&raw, &details, getenv)
	if err != nil {
		return nil, fmt.Errorf("parse -%s: %w", confFlag, err)
	}
	return c, nil
}

func findConf(args []string) (string, error) {
	for n, arg := range args {
		name, value, assigned := strings.Cut(arg, "=")
		if name != "-"+confFlag && name != "--"+confFlag {
			continue
		}
		if assigned {
			return value, nil
		}
		if n+1 < len(args) {
			return args[n+1], nil
		}
		return "", fmt.Errorf("the flag -%s has no value; expected one JSON object", confFlag)
	}
	return "", fmt.Errorf("the flag -%s is missing: this program is started by Pulsar's functions worker; "+
		"deploy it with `pulsar-admin functions create --function-config-file`", confFlag)
}

func newConf(raw *instanceConf, d *functionDetails, getenv func(string) string) (*Conf, error) {
	c := &Conf{
		ServiceURL: raw.PulsarServiceURL, AdminURL: raw.PulsarWebServiceURL, Cluster: raw.ClusterName,
		Tenant: first(d.Tenant, raw.Tenant), Namespace: first(d.Namespace, raw.NameSpace), Name: first(d.Name, raw.Name),
		InstanceID: int(raw.InstanceID), Port: int(raw.Port), MetricsPort: int(raw.MetricsPort),
		Parallelism: max(1, int(first(d.Parallelism, raw.Parallelism))),
		Guarantees:  d.ProcessingGuarantees, AutoAck: d.AutoAck,
		LogTopic: first(d.LogTopic, raw.LogTopic), Output: d.Sink.Topic,
		Inputs:            d.Source.inputs(),
		Timeout:           time.Duration(d.Source.TimeoutMs) * time.Millisecond,
		NackRedelivery:    time.Duration(d.Source.NegativeAckRedeliveryDelayMs) * time.Millisecond,
		TLSTrustCertsFile: raw.TLSTrustCertsFilePath, TLSAllowInsecure: raw.TLSAllowInsecureConnection,
		TLSVerifyHostname: raw.TLSHostnameVerificationEnable,
		AuthPlugin:        strings.TrimSpace(raw.ClientAuthenticationPlugin), authParameters: raw.ClientAuthenticationParameters,
		getenv: getenv,
	}
	c.Subscription = d.Source.subscription(c.FQFN())
	c.Kubernetes = c.InstanceID < 0 || (getenv("POD_NAME") != "" && getenv("KUBERNETES_SERVICE_HOST") != "")
	err := errors.Join(
		c.adoptPodOrdinal(),
		decodeMap("userConfig", first(d.UserConfig, raw.UserConfig), &c.UserConfig),
		decodeMap("secretsMap", first(d.SecretsMap, raw.SecretsMap), &c.secrets),
		c.validate(),
	)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// adoptPodOrdinal takes the instance id from the name of the StatefulSet's pod (contract §1.2: SHARD_ID is not exported).
func (c *Conf) adoptPodOrdinal() error {
	if c.InstanceID >= 0 {
		return nil
	}
	pod := c.getenv("POD_NAME")
	id, err := strconv.ParseUint(pod[strings.LastIndexByte(pod, '-')+1:], 10, 31)
	if err != nil {
		return fmt.Errorf("instanceID is %d, so the environment variable POD_NAME must end in -<number>; found %q", c.InstanceID, pod)
	}
	c.InstanceID, c.sharded = int(id), true
	return nil
}

func (c *Conf) validate() error {
	var errs []error
	for _, need := range []struct{ key, value string }{
		{"pulsarServiceURL", c.ServiceURL}, {"tenant", c.Tenant}, {"namespace", c.Namespace}, {"name", c.Name},
	} {
		if need.value == "" {
			errs = append(errs, fmt.Errorf("%s is empty", need.key))
		}
	}
	if c.Port < 1 || c.Port > 65535 {
		errs = append(errs, fmt.Errorf("port is %d, expected 1 to 65535", c.Port))
	}
	if c.MetricsPort < 0 || c.MetricsPort > 65535 {
		errs = append(errs, fmt.Errorf("metricsPort is %d, expected 0 to 65535", c.MetricsPort))
	}
	if len(c.Inputs) == 0 {
		errs = append(errs, errors.New("source.inputSpecs names no topic"))
	}
	return errors.Join(errs...)
}

// FQFN is the function's full name, tenant/namespace/name.
func (c *Conf) FQFN() string { return c.Tenant + "/" + c.Namespace + "/" + c.Name }

// InstanceName names this instance among those of the cluster, tenant/namespace/name:id.
func (c *Conf) InstanceName() string { return c.FQFN() + ":" + strconv.Itoa(c.InstanceID) }

func first[T comparable](values ...T) T {
	var zero T
	for _, v := range values {
		if v != zero {
			return v
		}
	}
	return zero
}
