// Package deadletter is the contract of the dead-letter topic: which properties a letter has, what they say of its life, and what an
// operator can do about it. It imports nothing of ours and no Pulsar. Package mailbox reads and redrives letters.
package deadletter
