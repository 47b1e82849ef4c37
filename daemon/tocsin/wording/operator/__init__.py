"""The words of what is said beside incidents: to the people who run tocsin, and as a test to anybody."""
