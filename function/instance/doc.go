// Package instance speaks Pulsar's Go-instance contract and nothing else: the -instance-conf argument, the InstanceControl gRPC
// service, the metrics port, the consumers, and settling (the only place that acknowledges or dead-letters). What is done with
// a message is the Handler's business.
package instance
