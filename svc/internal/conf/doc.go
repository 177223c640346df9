// Package conf is the domain of the service: applications that own named JSON
// configurations, the store that keeps them, and the errors that a call can
// end in. It imports the standard library only.
package conf
