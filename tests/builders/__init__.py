"""What tests are made of: policies, and stories of incidents."""
