"""The version, read by the package, its build and every manifest that it writes."""

VERSION = "0.1.0"
