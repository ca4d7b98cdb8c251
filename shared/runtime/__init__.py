"""What a function needs of the world it runs in: time, the network, secrets, CloudFormation."""
