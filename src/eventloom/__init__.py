"""The command: build, deploy, watch and operate what functions/ and terraform/ describe."""
