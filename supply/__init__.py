"""What tocsin takes from others: the locks read, known advisories, licences, and the bill of materials."""
