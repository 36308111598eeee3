import Glibc

exit(BenchmarkCommand.main(CommandLine.arguments))
